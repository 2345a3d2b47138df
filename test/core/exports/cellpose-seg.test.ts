import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { CytoError } from '../../../core/errors.ts';
import { cellposeSeg, readCellposeSeg } from '../../../core/exports/cellpose-seg.ts';
import { parseNpy } from '../../../core/npy.ts';
import { readPickle } from '../../../core/pickle/read-pickle.ts';
import { objectNpy } from '../../../core/pickle/write-pickle.ts';

const file = (name: string) => readFile(new URL(`./${name}`, import.meta.url));
const bytesOf = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));

describe('Cellpose _seg.npy', () => {
  it('that Cellpose wrote is read', async () => {
    const masks = parseNpy(await file('reference_seg_masks.npy'));
    const { labels, shape, fileName, diameter } = readCellposeSeg(await file('reference_seg.npy'));
    assert.deepEqual(labels, Uint32Array.from(masks.data));
    assert.deepEqual(shape, [1, 48, 64]);
    assert.equal(fileName, 'reference.png');
    assert.equal(diameter, undefined);
  });

  for (const protocol of [2, 3, 4, 5]) {
    it(`pickled with protocol ${protocol} is read, whatever else is in it`, async () => {
      const { labels, shape, fileName, diameter } = readCellposeSeg(
        await file(`various_protocol_${protocol}_seg.npy`),
      );
      assert.deepEqual([...labels], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
      assert.deepEqual(shape, [1, 3, 4]);
      assert.equal(fileName, '/a/b.tif');
      assert.equal(diameter, 12.5);
    });
  }

  it('comes back as it was written: planes, stacks, labels beyond 16 bits', () => {
    for (const [shape, step] of [
      [[1, 30, 40], 1],
      [[4, 10, 12], 3],
      [[1, 30, 40], 70_000],
    ] as const) {
      const labels = Uint32Array.from({ length: shape[0] * shape[1] * shape[2] }, (_, i) =>
        i % 3 === 0 ? 0 : step * (1 + (i % 5)),
      );
      const bytes = cellposeSeg(labels, shape, { fileName: 'bild µ.tif', diameter: 31.5 });
      assert.deepEqual(readCellposeSeg(bytes), { labels, shape, fileName: 'bild µ.tif', diameter: 31.5 });
    }
  });

  it('begins with a header whose length NumPy accepts', () => {
    const bytes = objectNpy({ a: 1 });
    assert.equal((10 + bytes[8] + 256 * bytes[9]) % 64, 0);
  });
});

describe('pickles that are not plain data', () => {
  const refused = (bytes: Uint8Array, kind: string, words: RegExp) =>
    assert.throws(
      () => readPickle(bytes),
      (error) => error instanceof CytoError && error.kind === kind && words.test(error.message),
    );

  it('name what they want to use and run nothing', () => {
    refused(bytesOf('\x80\x03cos\nsystem\nX\x02\0\0\0ls\x85R.'), 'unsupported', /os\.system/);
    refused(bytesOf('\x80\x04\x8c\x08builtins\x8c\x04eval\x93.'), 'unsupported', /builtins\.eval/);
    refused(bytesOf('\x80\x03cnumpy\nload\n.'), 'unsupported', /numpy\.load/);
  });

  it('and damaged ones are refused', async () => {
    refused(bytesOf('\x80\x03}('), 'corrupt-file', /damaged/);
    refused(bytesOf('\x80\x03.'), 'corrupt-file', /damaged/);
    refused(bytesOf('\x80\x03h\x07.'), 'corrupt-file', /damaged/);
    const whole = await file('reference_seg.npy');
    assert.throws(() => readCellposeSeg(whole.subarray(0, 5000)), CytoError);
    assert.throws(() => readCellposeSeg(bytesOf('no npy at all')), CytoError);
    assert.throws(() => readCellposeSeg(objectNpy({ outlines: 1 })), /no masks/);
  });
});
