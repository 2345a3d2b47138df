/** Entry `cytopane/io.js`: reading images and ROIs. */
export { type ImageInput, ImageReader } from './client.ts';
export { type ImagejRoi, parseImagejRoi, type RoiPath, readImagejRois } from './imagej-roi.ts';
