export * from './columns.ts';
export * from './filter.ts';
export * from './histogram.ts';
export * from './measurements.ts';
export * from './row-order.ts';
