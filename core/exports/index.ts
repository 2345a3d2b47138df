export * from './cellpose-seg.ts';
export * from './geojson.ts';
export * from './imagej-rois.ts';
export * from './label-csv.ts';
export * from './label-tiff.ts';
export * from './outlines.ts';
export * from './table-csv.ts';
