import { completeRegion, type ImageSource, type Region, type RegionData } from '../../core/image-source.ts';
import { allocate, type Shape5, type Volume } from '../../core/volume.ts';

/** A part of a volume in memory. */
export function regionOf(volume: Pick<Volume, 'data' | 'dtype' | 'shape'>, region: Region): RegionData {
  const { t, c, z, y, x } = completeRegion(region, volume.shape);
  const shape: Shape5 = [t[1] - t[0], c[1] - c[0], z[1] - z[0], y[1] - y[0], x[1] - x[0]];
  const [, nc, nz, ny, nx] = volume.shape;
  const data = allocate(
    volume.dtype,
    shape.reduce((product, n) => product * n, 1),
  );
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

/** An {@link ImageSource} over a volume that is wholly in memory. */
export function memorySource(volume: Volume): ImageSource {
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
