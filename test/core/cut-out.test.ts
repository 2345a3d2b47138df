import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cutBox, readCut } from '../../core/cut-out.ts';
import { imageLayer } from '../../core/layer.ts';
import { TiledImage } from '../../core/tiled-image.ts';
import { createVolume, type Shape5 } from '../../core/volume.ts';

/** A slide of 40,000² with two channels, held at a sixteenth. */
const levels = [1, 16].map((factor) => ({
  shape: [1, 2, 1, 40_000 / factor, 40_000 / factor] as Shape5,
  calibration: { spacing: [1, 0.5 * factor, 0.5 * factor] as const, unit: 'µm', calibrated: true },
  chunk: [1, 256, 256] as const,
}));
const detail = new TiledImage(
  {
    dtype: 'uint16',
    levels,
    read: async ({ c = [0, 2], y = [0, 0], x = [0, 0] }) => {
      const shape: Shape5 = [1, c[1] - c[0], 1, y[1] - y[0], x[1] - x[0]];
      return { data: new Uint16Array(shape[1] * shape[3] * shape[4]).fill(y[0]), shape };
    },
  },
  { overview: 1, rgb: false },
);
const volume = createVolume({
  data: new Uint16Array(2 * 2500 ** 2),
  shape: [1, 2, 1, 2500, 2500],
  name: 'slide',
  calibration: levels[1].calibration,
});
const layer = imageLayer('image', volume);
const spacing = levels[1].calibration.spacing;

describe('cutting a part out of a large image', () => {
  it('takes the whole voxels in view, within the image', () => {
    assert.deepEqual(cutBox(detail, spacing, [0, 100, 200.3], [1, 150, 300.1]), [0, 200, 400, 1, 300, 601]);
    assert.deepEqual(cutBox(detail, spacing, [0, -50, 19_990], [1, 2, 21_000]), [0, 0, 39_980, 1, 4, 40_000]);
  });

  it('says so where nothing of the image is in view', () => {
    assert.throws(() => cutBox(detail, spacing, [0, -50, -50], [1, -1, -1]), { kind: 'bad-input' });
  });

  it('reads all channels at full resolution, with the size of a voxel and the place in the name', async () => {
    const part = await readCut(layer, detail, { spacing, box: [0, 200, 400, 1, 300, 601], t: 0 });
    assert.deepEqual(part.shape, [1, 2, 1, 100, 201]);
    assert.equal(part.data.length, 2 * 100 * 201);
    assert.equal(part.data[0], 200);
    assert.deepEqual(part.calibration, { spacing: [1, 0.5, 0.5], unit: 'µm', calibrated: true });
    assert.equal(part.name, 'slide (x 400, y 200)');
  });

  it('refuses more than fits into memory', async () => {
    const box = [0, 0, 0, 1, 20_000, 20_000] as const;
    await assert.rejects(readCut(layer, detail, { spacing, box, t: 0 }), { kind: 'too-large' });
  });
});
