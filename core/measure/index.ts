export * from './columns.ts';
export * from './measurements.ts';
