import { CytoError } from '../../core/errors.ts';
import type { ImageSource } from '../../core/image-source.ts';
import {
  type Calibration,
  createVolume,
  type DType,
  type Shape5,
  sampleCount,
  viewAs,
} from '../../core/volume.ts';
import { volumeSource } from '../../core/volume-source.ts';
import { bytesOf, type NamedBlob } from './bytes.ts';
import { checkFits } from './memory.ts';

/** NIfTI data types with a sample type of ours. */
const DTYPES: Record<number, DType> = {
  2: 'uint8',
  4: 'int16',
  8: 'int32',
  16: 'float32',
  64: 'float64',
  256: 'int8',
  512: 'uint16',
  768: 'uint32',
};

/**
 * Opens a NIfTI-1 or -2 file (.nii, .nii.gz). Samples are as stored; a slope and intercept are noted, not applied.
 * The fourth axis is time, the fifth channels.
 */
export async function openNifti(file: NamedBlob): Promise<ImageSource> {
  const nifti = await import('nifti-reader-js');
  const corrupt = (problem: string, cause?: unknown) =>
    new CytoError('corrupt-file', `"${file.name}" is a damaged NIfTI file: ${problem}.`, { cause });
  let bytes = (await bytesOf(file)).buffer as ArrayBuffer;
  let header: ReturnType<typeof nifti.readHeader> | null;
  try {
    if (nifti.isCompressed(bytes)) bytes = nifti.decompress(bytes) as ArrayBuffer;
    header = nifti.isNIFTI(bytes) ? nifti.readHeader(bytes) : null;
  } catch (cause) {
    throw corrupt('it cannot be unpacked; the copy may be incomplete', cause);
  }
  if (!header) throw corrupt('it has no NIfTI header');
  const [rank, ...lengths] = header.dims;
  if (!(rank >= 1 && rank <= 7)) throw corrupt(`it announces ${rank} axes`);
  const size = lengths.slice(0, rank);
  if (size.some((n) => !Number.isInteger(n) || n < 1))
    throw corrupt(`it announces a size of ${size.join(' × ')}`);
  const [nx, ny = 1, nz = 1, nt = 1, nc = 1, ...more] = size;
  if (more.some((n) => n > 1)) throw new CytoError('unsupported', `"${file.name}" has more than five axes.`);
  const dtype = DTYPES[header.datatypeCode];
  if (!dtype)
    throw new CytoError(
      'unsupported',
      `NIfTI data type ${header.datatypeCode} is not supported; convert it to 16-bit integers or 32-bit floats.`,
    );
  const shape: Shape5 = [nt, nc, nz, ny, nx];
  checkFits(shape, dtype, file.name);
  const count = sampleCount(shape);
  const width = header.numBitsPerVoxel / 8;
  const start = Math.max(352, Math.floor(header.vox_offset));
  if (bytes.byteLength < start + count * width) {
    throw corrupt(
      `${count * width} bytes of samples are announced, ${Math.max(0, bytes.byteLength - start)} are there`,
    );
  }
  const raw = new Uint8Array(bytes.slice(start, start + count * width));
  if (!header.littleEndian && width > 1) {
    for (let i = 0; i < raw.length; i += width) raw.subarray(i, i + width).reverse();
  }
  let data = viewAs(dtype, raw.buffer);
  if (nc > 1 && nt > 1) data = swapTimeAndChannel(data, nt, nc, nx * ny * nz);
  const notes: string[] = [];
  const { scl_slope: slope, scl_inter: intercept } = header;
  if (Number.isFinite(slope) && slope !== 0 && (slope !== 1 || intercept !== 0)) {
    notes.push(`Values are as stored; real values are ${slope} × value + ${intercept}.`);
  }
  return volumeSource(
    createVolume({
      data,
      shape,
      name: file.name,
      storedAxes: ['X', 'YX', 'ZYX', 'TZYX', 'CTZYX'][Math.min(5, rank) - 1],
      calibration: calibrationOf(header.pixDims, header.xyzt_units),
      notes,
    }),
  );
}

function calibrationOf(pixDims: number[], units: number): Calibration {
  const unit = ({ 1: 'm', 2: 'mm', 3: 'µm' } as Record<number, string>)[units & 7] ?? 'mm';
  const [, x, y, z, t] = pixDims;
  const step = (value: number) => (Number.isFinite(value) && value > 0 ? value : 1);
  const seconds = { 8: 1, 16: 1e-3, 24: 1e-6 }[units & 56];
  return {
    spacing: [step(z), step(y), step(x)],
    unit,
    calibrated: true,
    ...(seconds && t > 0 ? { timeStep: t * seconds } : {}),
  };
}

/** File order is c, t, z, y, x; volumes are t, c, z, y, x. */
function swapTimeAndChannel<
  T extends { slice(): T; subarray(a: number, b: number): T; set(v: T, at: number): void },
>(data: T, nt: number, nc: number, size: number): T {
  const out = data.slice();
  for (let c = 0; c < nc; c++) {
    for (let t = 0; t < nt; t++) {
      const from = (c * nt + t) * size;
      out.set(data.subarray(from, from + size), (t * nc + c) * size);
    }
  }
  return out;
}
