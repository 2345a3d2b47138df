/** Entry `cytopane/omero.js`: images of OMERO.web, and cells saved there. No DOM: runs in pages, workers and Node. */
export * from '../image-provider.ts';
export * from './annotations.ts';
export * from './browse.ts';
export { OmeroConnection, type OmeroOptions, type OmeroRequest, type OmeroUser } from './connection.ts';
export * from './image-details.ts';
export * from './keyhole.ts';
export * from './masks.ts';
export * from './pixel-routes.ts';
export * from './plugin.ts';
export * from './provider.ts';
export * from './result.ts';
export * from './rois.ts';
export * from './save.ts';
export * from './shapes.ts';
export { fromBigEndian, type TileRequest, tileSource } from './tile-source.ts';
