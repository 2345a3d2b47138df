export * from './journal.ts';
export * from './label-change.ts';
export * from './label-edit.ts';
export * from './label-history.ts';
export * from './label-index.ts';
