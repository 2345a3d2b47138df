import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encode } from 'fast-png';
import { zipSync } from 'fflate';
import { CytoError, type ErrorKind } from '../../core/errors.ts';
import type { NamedBlob } from '../../workers/io/bytes.ts';
import { readImagejRois } from '../../workers/io/imagej-roi.ts';
import { openImage } from '../../workers/io/open.ts';
import { tiffFile } from './tiff-file.ts';

const text = (value: unknown) =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

function file(path: string, ...parts: Uint8Array[]): NamedBlob {
  return {
    name: path.split('/').at(-1) ?? path,
    path,
    blob: new Blob(parts as Uint8Array<ArrayBuffer>[]),
  };
}

async function fails(work: Promise<unknown>, kind: ErrorKind, words: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof CytoError, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, words);
    return true;
  });
}

function npy(dtype: string, shape: number[], data: Uint8Array, fortran = 'False'): NamedBlob {
  const header = `{'descr': '${dtype}', 'fortran_order': ${fortran}, 'shape': (${shape.join(', ')},), }`;
  const padded = `${header.padEnd(118 - 1)}\n`;
  const start = Uint8Array.of(
    0x93,
    0x4e,
    0x55,
    0x4d,
    0x50,
    0x59,
    1,
    0,
    padded.length & 255,
    padded.length >> 8,
  );
  return file('array.npy', start, text(padded), data);
}

/** Two levels of an image of 2 channels, 3 × 4 × 6 and 3 × 2 × 3, chunked, uncompressed, zarr v2. */
function omeZarr(prefix: string): NamedBlob[] {
  const array = (shape: number[], chunks: number[]) => ({
    zarr_format: 2,
    shape,
    chunks,
    dtype: '<u2',
    compressor: null,
    fill_value: 0,
    filters: null,
    order: 'C',
    dimension_separator: '/',
  });
  const datasets = [1, 2].map((factor, level) => ({
    path: String(level),
    coordinateTransformations: [{ type: 'scale', scale: [1, 2, 0.5 * factor, 0.5 * factor] }],
  }));
  const axes = [
    { name: 'c', type: 'channel' },
    ...['z', 'y', 'x'].map((name) => ({ name, type: 'space', unit: 'micrometer' })),
  ];
  const files = [
    file(`${prefix}/.zgroup`, text({ zarr_format: 2 })),
    file(`${prefix}/.zattrs`, text({ multiscales: [{ version: '0.4', name: 'cells', axes, datasets }] })),
    file(`${prefix}/0/.zarray`, text(array([2, 3, 4, 6], [1, 3, 4, 3]))),
    file(`${prefix}/1/.zarray`, text(array([2, 3, 2, 3], [2, 3, 2, 3]))),
    file(`${prefix}/1/0/0/0/0`, new Uint8Array(Uint16Array.from({ length: 36 }, (_, i) => i).buffer)),
  ];
  for (let c = 0; c < 2; c++) {
    for (let column = 0; column < 2; column++) {
      const chunk = Uint16Array.from({ length: 36 }, (_, i) => {
        const [z, y, x] = [Math.floor(i / 12), Math.floor(i / 3) % 4, (i % 3) + 3 * column];
        return ((c * 3 + z) * 4 + y) * 6 + x;
      });
      files.push(file(`${prefix}/0/${c}/0/0/${column}`, new Uint8Array(chunk.buffer)));
    }
  }
  return files;
}

describe('OME-Zarr', () => {
  const check = async (input: NamedBlob | NamedBlob[]) => {
    const source = await openImage(input);
    assert.equal(source.levels.length, 2);
    assert.deepEqual(source.levels[1].shape, [1, 2, 3, 2, 3]);
    assert.deepEqual(source.levels[1].calibration.spacing, [2, 1, 1]);
    assert.equal(source.calibration.unit, 'µm');
    const whole = await source.readVolume();
    assert.deepEqual(
      whole.data,
      Uint16Array.from({ length: 144 }, (_, i) => i),
    );
    const { data, shape } = await source.read({ c: [1, 2], z: [2, 3], y: [1, 3], x: [2, 5] }, 0);
    assert.deepEqual(shape, [1, 1, 1, 2, 3]);
    assert.deepEqual([...data], [128, 129, 130, 134, 135, 136]);
  };

  it('opens from a dropped folder, several levels deep too', async () => {
    await check(omeZarr('cells.ome.zarr'));
    await check(omeZarr('a/b/cells.zarr'));
  });

  it('opens from a zip, with or without the folder in it', async () => {
    for (const prefix of ['cells.ome.zarr', '']) {
      const entries = await Promise.all(
        omeZarr(prefix).map(
          async ({ path, blob }) =>
            [path.replace(/^\//, ''), new Uint8Array(await blob.arrayBuffer())] as const,
        ),
      );
      await check(file('cells.ome.zarr.zip', zipSync(Object.fromEntries(entries))));
    }
  });

  it('a chunk that is missing is the fill value', async () => {
    const files = omeZarr('x.zarr').filter(({ path }) => path !== 'x.zarr/0/1/0/0/1');
    const { data } = await (await openImage(files)).readVolume();
    assert.equal(data[143], 0);
    assert.equal(data[140], 140);
  });

  it('hostile metadata is refused', async () => {
    const files = omeZarr('x.zarr');
    const broken = (path: string, content: unknown) => [
      ...files.filter((each) => each.path !== path),
      file(path, text(content)),
    ];
    await fails(
      openImage(broken('x.zarr/.zattrs', '{"multiscales": [')),
      'corrupt-file',
      /x\.zarr|JSON|meta/i,
    );
    await assert.rejects(openImage(broken('x.zarr/.zattrs', { multiscales: [{ datasets: 5 }] })), CytoError);
    await assert.rejects(
      openImage(broken('x.zarr/0/.zarray', { zarr_format: 2, shape: [-1], chunks: [0] })),
      CytoError,
    );
  });
});

describe('other formats', () => {
  it('NPY of any byte order and memory order', async () => {
    const big = Uint8Array.of(0, 1, 0, 2, 0, 3, 1, 0, 2, 0, 3, 0);
    const volume = await (await openImage(npy('>u2', [2, 3], big))).readVolume();
    assert.deepEqual([...volume.data], [1, 2, 3, 256, 512, 768]);
    const columns = await (
      await openImage(npy('|u1', [2, 3], Uint8Array.of(1, 4, 2, 5, 3, 6), 'True'))
    ).readVolume();
    assert.deepEqual([...columns.data], [1, 2, 3, 4, 5, 6]);
    await fails(openImage(npy('|O', [2], new Uint8Array(16))), 'unsupported', /object|type/i);
    await fails(openImage(npy('<f4', [1000, 1000], new Uint8Array(16))), 'corrupt-file', /NPY/);
  });

  it('PNG of 16 bits and RGB', async () => {
    const grey = encode({
      width: 3,
      height: 2,
      data: Uint16Array.of(0, 1, 256, 65535, 7, 8),
      depth: 16,
      channels: 1,
    });
    const volume = await (await openImage(file('a.png', grey))).readVolume();
    assert.deepEqual([...volume.data], [0, 1, 256, 65535, 7, 8]);
    const rgb = encode({ width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6), channels: 3 });
    const colours = await (await openImage(file('b.png', rgb))).readVolume();
    assert.deepEqual([...colours.data], [1, 4, 2, 5, 3, 6]);
    assert.equal(colours.rgb, true);
  });

  it('files of a sequence become planes in the order of their numbers', async () => {
    const plane = (k: number) =>
      file(`t_${k}.tif`, tiffFile({ width: 2, height: 2, blocks: [new Uint8Array(4).fill(k)] }));
    const volume = await (await openImage([plane(10), plane(9), plane(2)])).readVolume();
    assert.deepEqual(volume.shape, [1, 1, 3, 2, 2]);
    assert.deepEqual([...volume.data], [2, 2, 2, 2, 9, 9, 9, 9, 10, 10, 10, 10]);
    const odd = file('t_11.tif', tiffFile({ width: 3, height: 2, blocks: [new Uint8Array(6)] }));
    await assert.rejects(
      openImage([plane(1), odd]).then((source) => source.readVolume()),
      CytoError,
    );
  });

  it('what is no image is named', async () => {
    await fails(openImage(file('notes.tif', text('hello'))), 'unsupported', /text file/);
    await fails(openImage(file('empty.tif')), 'corrupt-file', /empty/);
    await fails(openImage([]), 'bad-input', /No file/);
    await fails(openImage(new URL('ftp://example.org/a.tif')), 'bad-input', /ftp/);
  });
});

describe('ImageJ ROIs', () => {
  /** A polygon as ImageJ writes it. */
  function roi(type: number, points: [number, number][], cut = 0): Uint8Array {
    const bytes = new Uint8Array(64 + points.length * 4);
    const view = new DataView(bytes.buffer);
    bytes.set(text('Iout'));
    view.setInt16(4, 227);
    view.setUint8(6, type);
    view.setInt16(8, 10);
    view.setInt16(10, -20);
    view.setInt16(12, 30);
    view.setInt16(14, 40);
    view.setUint16(16, points.length);
    view.setInt32(56, 3);
    points.forEach(([x, y], i) => {
      view.setInt16(64 + 2 * i, x);
      view.setInt16(64 + 2 * (points.length + i), y);
    });
    return bytes.subarray(0, bytes.length - cut);
  }

  it('reads one and a zip of several', async () => {
    const points: [number, number][] = [
      [0, 0],
      [5, 1],
      [2, 9],
    ];
    const [polygon] = await readImagejRois(file('a.roi', roi(0, points)));
    assert.equal(polygon.type, 'polygon');
    assert.equal(polygon.name, 'a');
    assert.equal(polygon.position, 3);
    assert.deepEqual(polygon.paths, [
      [
        [-20, 10],
        [-15, 11],
        [-18, 19],
      ],
    ]);
    assert.deepEqual([polygon.left, polygon.top, polygon.width, polygon.height], [-20, 10, 60, 20]);
    const zip = zipSync({ 'one.roi': roi(0, points), 'two.roi': roi(2, []), 'read.me': text('no') });
    const rois = await readImagejRois(file('RoiSet.zip', zip));
    assert.deepEqual(
      rois.map(({ name, type }) => [name, type]),
      [
        ['one', 'polygon'],
        ['two', 'oval'],
      ],
    );
  });

  it('damaged ones say so', async () => {
    await fails(readImagejRois(file('a.roi', roi(0, [[1, 1]], 2))), 'corrupt-file', /a\.roi/);
    await fails(readImagejRois(file('a.roi', text('Iou'))), 'corrupt-file', /ImageJ/);
    await fails(readImagejRois(file('a.zip', Uint8Array.of(0x50, 0x4b, 3, 4, 9))), 'corrupt-file', /zip/);
  });
});
