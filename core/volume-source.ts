import {
  completeRegion,
  type ImageSource,
  type Region,
  type RegionData,
  regionShape,
} from './image-source.ts';
import { allocate, sampleCount, type Volume } from './volume.ts';

/** A copy of a part of a volume in memory. */
export function regionOf(volume: Pick<Volume, 'data' | 'dtype' | 'shape'>, region: Region): RegionData {
  const full = completeRegion(region, volume.shape);
  const { t, c, z, y, x } = full;
  const shape = regionShape(full);
  const [, nc, nz, ny, nx] = volume.shape;
  const data = allocate(volume.dtype, sampleCount(shape));
  let to = 0;
  for (let ti = t[0]; ti < t[1]; ti++) {
    for (let ci = c[0]; ci < c[1]; ci++) {
      for (let zi = z[0]; zi < z[1]; zi++) {
        for (let yi = y[0]; yi < y[1]; yi++) {
          const line = (((ti * nc + ci) * nz + zi) * ny + yi) * nx;
          data.set(volume.data.subarray(line + x[0], line + x[1]), to);
          to += shape[4];
        }
      }
    }
  }
  return { data, shape };
}

/** An image in memory as a source that is read region by region. */
export function volumeSource(volume: Volume): ImageSource {
  const { data, shape, dtype, ...metadata } = volume;
  return {
    ...metadata,
    dtype,
    levels: [{ shape, calibration: volume.calibration, chunk: [1, shape[3], shape[4]] }],
    read: async (region) => regionOf(volume, region),
    readVolume: async () => volume,
    close() {},
  };
}
