import { gzipSync, zlibSync } from 'fflate';
import { allocate, type DType, type Shape3, type VolumeData } from '../volume.ts';
import type { Level, Shape4 } from './zarr-levels.ts';

/** 0.4 lies on Zarr 2, 0.5 on Zarr 3. */
export type OmeZarrVersion = '0.4' | '0.5';

/** A file of a folder: its path with `/` and its bytes. */
export type FolderFile = readonly [path: string, bytes: Uint8Array];

const CHUNK: Shape3 = [32, 256, 256];
const V2_TYPES: Record<DType, string> = {
  uint8: '|u1',
  int8: '|i1',
  uint16: '<u2',
  int16: '<i2',
  uint32: '<u4',
  int32: '<i4',
  float32: '<f4',
  float64: '<f8',
};

/** Metadata. */
export type Json = Record<string, unknown>;

function jsonFile(path: string, value: Json): FolderFile {
  return [path, new TextEncoder().encode(JSON.stringify(value))];
}

/** A group with its attributes. */
export function* group(path: string, version: OmeZarrVersion, attributes: Json): Generator<FolderFile> {
  if (version === '0.4') {
    yield jsonFile(`${path}.zgroup`, { zarr_format: 2 });
    yield jsonFile(`${path}.zattrs`, attributes);
    return;
  }
  const { cytopane, ...ome } = attributes;
  yield jsonFile(`${path}zarr.json`, {
    zarr_format: 3,
    node_type: 'group',
    attributes: { ome: { version, ...ome }, ...(cytopane ? { cytopane } : {}) },
  });
}

/** The arrays of all levels, named 0, 1, … */
export function* arrays(
  path: string,
  levels: Level[],
  version: OmeZarrVersion,
  axes: string[],
): Generator<FolderFile> {
  for (const [k, level] of levels.entries()) yield* array(`${path}${k}/`, level, version, axes);
}

function* array(
  path: string,
  { channels, dtype, shape }: Level,
  version: OmeZarrVersion,
  axes: string[],
): Generator<FolderFile> {
  const [, nz, ny, nx] = shape;
  const chunk: Shape3 = [Math.min(CHUNK[0], nz), Math.min(CHUNK[1], ny), Math.min(CHUNK[2], nx)];
  const shown = (full: readonly number[]) => axes.map((axis) => full[['c', 'z', 'y', 'x'].indexOf(axis)]);
  const [lengths, chunks] = [shown(shape), shown([1, ...chunk])];
  if (version === '0.4') {
    yield jsonFile(`${path}.zarray`, {
      zarr_format: 2,
      shape: lengths,
      chunks,
      dtype: V2_TYPES[dtype],
      compressor: { id: 'zlib', level: 3 },
      fill_value: 0,
      order: 'C',
      filters: null,
      dimension_separator: '/',
    });
  } else {
    yield jsonFile(`${path}zarr.json`, {
      zarr_format: 3,
      node_type: 'array',
      shape: lengths,
      data_type: dtype,
      chunk_grid: { name: 'regular', configuration: { chunk_shape: chunks } },
      chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
      fill_value: 0,
      codecs: [
        { name: 'bytes', configuration: { endian: 'little' } },
        { name: 'gzip', configuration: { level: 3 } },
      ],
      attributes: {},
      dimension_names: axes,
    });
  }
  for (let c = 0; c < channels.length; c++) {
    for (let cz = 0; cz * chunk[0] < nz; cz++) {
      for (let cy = 0; cy * chunk[1] < ny; cy++) {
        for (let cx = 0; cx * chunk[2] < nx; cx++) {
          const bytes = chunkBytes(channels[c], dtype, shape, chunk, [cz, cy, cx]);
          // A chunk that is not there is full of the fill value.
          if (!bytes) continue;
          const place = shown([c, cz, cy, cx]).join('/');
          yield version === '0.4'
            ? [`${path}${place}`, zlibSync(bytes, { level: 3 })]
            : [`${path}c/${place}`, gzipSync(bytes, { level: 3, mtime: 0 })];
        }
      }
    }
  }
}

/** Samples of a chunk, filled up with 0 beyond the array; undefined if all are 0. */
function chunkBytes(
  samples: VolumeData,
  dtype: DType,
  [, nz, ny, nx]: Shape4,
  chunk: Shape3,
  at: Shape3,
): Uint8Array | undefined {
  const out = allocate(dtype, chunk[0] * chunk[1] * chunk[2]);
  const [z0, y0, x0] = at.map((index, axis) => index * chunk[axis]);
  const width = Math.min(chunk[2], nx - x0);
  for (let z = z0; z < Math.min(nz, z0 + chunk[0]); z++) {
    for (let y = y0; y < Math.min(ny, y0 + chunk[1]); y++) {
      const row = (z * ny + y) * nx + x0;
      out.set(samples.subarray(row, row + width), ((z - z0) * chunk[1] + y - y0) * chunk[2]);
    }
  }
  return out.some((value) => value !== 0) ? new Uint8Array(out.buffer) : undefined;
}
