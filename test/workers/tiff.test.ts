import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { zlibSync } from 'fflate';
import { CytoError, type ErrorKind } from '../../core/errors.ts';
import type { ImageSource } from '../../core/image-source.ts';
import { openImage } from '../../workers/io/open.ts';
import { decodeLzw } from '../../workers/io/tiff/lzw.ts';
import { bytesOfSamples, encodeLzw, type TestTiff, tiffFile } from './tiff-file.ts';

/** Small numbers of a fixed sequence (Lehmer). */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state;
  };
}

const open = (bytes: Uint8Array<ArrayBuffer>): Promise<ImageSource> =>
  openImage({ name: 'test.tif', path: 'test.tif', blob: new Blob([bytes]) });

const read = async (options: TestTiff) => (await open(tiffFile(options))).readVolume();

/** Splits rows into strips. */
function strips(bytes: Uint8Array, rowBytes: number, rows: number): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += rowBytes * rows)
    blocks.push(bytes.subarray(at, at + rowBytes * rows));
  return blocks;
}

async function fails(work: Promise<unknown>, kind: ErrorKind): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof CytoError, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.ok(error.message.length > 20);
    return true;
  });
}

describe('TIFF', () => {
  const next = sequence(7);
  const samples16 = Uint16Array.from({ length: 37 * 300 }, () => next() % 65536);

  for (const bigEndian of [false, true]) {
    const order = bigEndian ? 'big-endian' : 'little-endian';
    it(`${order}: more strips than the directory is read with`, async () => {
      const blocks = strips(bytesOfSamples(samples16, bigEndian), 74, 1);
      const volume = await read({ width: 37, height: 300, bits: 16, rowsPerStrip: 1, blocks, bigEndian });
      assert.deepEqual(volume.data, samples16);
      assert.deepEqual(volume.shape, [1, 1, 1, 300, 37]);
    });

    it(`${order}: differences along the row, deflated`, async () => {
      const differences = samples16.map((value, i) => (i % 37 === 0 ? value : value - samples16[i - 1]));
      const blocks = strips(bytesOfSamples(differences, bigEndian), 74, 64).map((block) => zlibSync(block));
      const volume = await read({
        width: 37,
        height: 300,
        bits: 16,
        rowsPerStrip: 64,
        compression: 8,
        predictor: 2,
        blocks,
        bigEndian,
      });
      assert.deepEqual(volume.data, samples16);
    });

    it(`${order}: floating point with its own predictor`, async () => {
      const values = Float32Array.from({ length: 13 * 5 }, () => (next() - 1e9) / 1e5);
      const big = bytesOfSamples(values, true);
      const encoded = new Uint8Array(big.length);
      for (let y = 0; y < 5; y++) {
        const row = big.subarray(y * 52, (y + 1) * 52);
        const planes = Uint8Array.from({ length: 52 }, (_, i) => row[(i % 13) * 4 + Math.floor(i / 13)]);
        encoded.set(
          planes.map((value, i) => (i === 0 ? value : value - planes[i - 1])),
          y * 52,
        );
      }
      const volume = await read({
        width: 13,
        height: 5,
        bits: 32,
        sampleFormat: 3,
        predictor: 3,
        compression: 8,
        blocks: [zlibSync(encoded)],
        bigEndian,
      });
      assert.deepEqual(volume.data, values);
    });

    it(`${order}: 16-bit floats`, async () => {
      const halves = Uint16Array.of(0x0000, 0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00, 0x3555, 0x8400);
      const blocks = [bytesOfSamples(halves, bigEndian)];
      const volume = await read({ width: 4, height: 2, bits: 16, sampleFormat: 3, blocks, bigEndian });
      const expected = [0, 1, -2, 65504, 2 ** -24, Number.POSITIVE_INFINITY, 0.333251953125, -(2 ** -14)];
      assert.deepEqual([...volume.data], expected);
    });
  }

  for (const bits of [1, 2, 4, 7, 10, 12, 24]) {
    it(`${bits}-bit samples, rows at whole bytes, in either byte order`, async () => {
      const [width, height] = [19, 6];
      const values = Array.from({ length: width * height }, () => next() % 2 ** bits);
      const rowBytes = Math.ceil((width * bits) / 8);
      const packed = new Uint8Array(rowBytes * height);
      values.forEach((value, i) => {
        for (let b = 0; b < bits; b++) {
          const bit = (i % width) * bits + b;
          if (Math.floor(value / 2 ** (bits - 1 - b)) % 2)
            packed[Math.floor(i / width) * rowBytes + (bit >> 3)] |= 0x80 >> (bit & 7);
        }
      });
      for (const bigEndian of [false, true]) {
        const volume = await read({ width, height, bits, blocks: [packed], bigEndian });
        assert.deepEqual([...volume.data], values);
      }
    });
  }

  it('RGB side by side and as planes gives planar channels', async () => {
    const rgb = Uint8Array.from({ length: 5 * 4 * 3 }, () => next() % 256);
    const planar = Uint8Array.from({ length: 60 }, (_, i) => rgb[(i % 20) * 3 + Math.floor(i / 20)]);
    const together = await read({ width: 5, height: 4, samples: 3, blocks: [rgb] });
    const apart = await read({
      width: 5,
      height: 4,
      samples: 3,
      planar: true,
      blocks: strips(planar, 20, 1),
    });
    assert.deepEqual(together.data, planar);
    assert.deepEqual(apart.data, planar);
    assert.equal(together.rgb, true);
    assert.deepEqual(together.shape, [1, 3, 1, 4, 5]);
  });

  it('windows of tiled images equal the crop of the whole; absent tiles are zero', async () => {
    const [width, height] = [45, 39];
    const whole = Uint8Array.from({ length: width * height }, () => 1 + (next() % 255));
    const blocks: Uint8Array[] = [];
    for (let ty = 0; ty < 3; ty++) {
      for (let tx = 0; tx < 3; tx++) {
        const tile = new Uint8Array(256);
        for (let i = 0; i < 256; i++) {
          const [y, x] = [ty * 16 + (i >> 4), tx * 16 + (i & 15)];
          if (y < height && x < width) tile[i] = whole[y * width + x];
        }
        blocks.push(tx === 1 && ty === 1 ? new Uint8Array(0) : encodeLzw(tile));
      }
    }
    const expected = whole.map((value, i) => {
      const [y, x] = [Math.floor(i / width), i % width];
      return y >= 16 && y < 32 && x >= 16 && x < 32 ? 0 : value;
    });
    const source = await open(tiffFile({ width, height, tile: [16, 16], compression: 5, blocks }));
    assert.deepEqual((await source.readVolume()).data, expected);
    for (let k = 0; k < 20; k++) {
      const x0 = next() % width;
      const y0 = next() % height;
      const x1 = x0 + 1 + (next() % (width - x0));
      const y1 = y0 + 1 + (next() % (height - y0));
      const { data, shape } = await source.read({ y: [y0, y1], x: [x0, x1] }, 0);
      assert.deepEqual(shape, [1, 1, 1, y1 - y0, x1 - x0]);
      const crop = Array.from(data, (_, i) => {
        const y = y0 + Math.floor(i / (x1 - x0));
        return expected[y * width + x0 + (i % (x1 - x0))];
      });
      assert.deepEqual([...data], crop);
    }
  });

  it('axes and scale of an ImageJ hyperstack come from its description', async () => {
    const description = 'ImageJ=1.53t\nimages=1\nunit=micron\nspacing=2\n';
    const source = await open(tiffFile({ width: 2, height: 2, blocks: [new Uint8Array(4)], description }));
    assert.equal(source.storedAxes, 'TZCYX');
    // No resolution tags: the unit alone says nothing of the pixel size.
    assert.equal(source.calibration.calibrated, false);
  });

  it('damaged files say so', async () => {
    const bytes = tiffFile({ width: 64, height: 64, blocks: [new Uint8Array(4096)] });
    await fails(open(bytes.slice(0, 6)), 'corrupt-file');
    const short = tiffFile({ width: 64, height: 64, blocks: [new Uint8Array(100)] });
    await fails(
      open(short).then((source) => source.readVolume()),
      'corrupt-file',
    );
    const deflated = zlibSync(new Uint8Array(4096).map(() => next() % 256));
    const cut = tiffFile({ width: 64, height: 64, compression: 8, blocks: [deflated.subarray(0, 500)] });
    await fails(
      open(cut).then((source) => source.readVolume()),
      'corrupt-file',
    );
  });

  it('a strip that inflates to more than its pixels is cut, not kept', async () => {
    const bomb = zlibSync(new Uint8Array(2 ** 24).fill(9));
    const volume = await read({ width: 4, height: 4, compression: 8, blocks: [bomb] });
    assert.deepEqual([...volume.data], new Array(16).fill(9));
  });
});

describe('LZW', () => {
  const next = sequence(11);
  const inputs: [string, Uint8Array][] = [
    ['noise', Uint8Array.from({ length: 20_000 }, () => next() % 256)],
    ['runs', Uint8Array.from({ length: 100_000 }, (_, i) => (i >> 9) & 3)],
    ['one byte', Uint8Array.of(5)],
    ['one value', new Uint8Array(70_000).fill(7)],
  ];
  for (const older of [false, true]) {
    for (const [name, input] of inputs) {
      it(`${older ? 'older order' : 'TIFF 6.0'}: ${name}`, () => {
        assert.deepEqual(decodeLzw(encodeLzw(input, older), input.length), input);
      });
    }
  }

  it('ends for any bytes and never writes more than asked for', () => {
    for (let k = 0; k < 2000; k++) {
      const bytes = Uint8Array.from({ length: next() % 64 }, () => next() % 256);
      bytes[0] = 0x80; // CLEAR
      try {
        assert.ok(decodeLzw(bytes, 500).length <= 500);
      } catch (error) {
        assert.match((error as Error).message, /LZW/);
      }
    }
  });
});
