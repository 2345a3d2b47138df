import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabelHistory, placeLabels } from '../../../core/edit/index.ts';
import { LabelVolume } from '../../../core/label-volume.ts';
import type { Shape3 } from '../../../core/volume.ts';

const calibration = { spacing: [1, 1, 1] as const, unit: 'px', calibrated: false };

test('labels of a box are placed and nothing outside changes', () => {
  const shape: Shape3 = [3, 4, 5];
  const before = Uint32Array.from({ length: 60 }, (_, i) => (i % 4) + 1);
  const labels = new LabelVolume(shape, calibration, before.slice());
  const box = { from: [1, 1, 2] as Shape3, to: [3, 3, 5] as Shape3 };
  const placed = Uint32Array.from({ length: 12 }, (_, i) => i % 3);
  const history = LabelHistory.of(labels);
  history.replace('box', placeLabels(labels.data, shape, placed, box), { z: 1, blank: false });
  for (let z = 0, k = 0; z < 3; z++) {
    for (let y = 0; y < 4; y++) {
      for (let x = 0; x < 5; x++) {
        const i = (z * 4 + y) * 5 + x;
        const inside = z >= 1 && y >= 1 && y < 3 && x >= 2;
        const expected = inside ? (placed[k] === 0 ? 0 : placed[k++] + 4) : before[i];
        if (inside && expected === 0) k++;
        assert.equal(labels.data[i], expected, `${z}, ${y}, ${x}`);
      }
    }
  }
  history.undo();
  assert.deepEqual(labels.data, before);
  assert.throws(() => placeLabels(before, shape, placed, { from: [1, 1, 3], to: [3, 3, 6] }), /do not fit/);
});
