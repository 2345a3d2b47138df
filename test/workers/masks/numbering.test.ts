import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Shape3 } from '../../../core/volume.ts';
import { WasmKernels } from '../../../workers/segmentation/kernels/wasm-kernels.ts';
import {
  aggregatedJaccard,
  averagePrecision,
  fillHolesAndRemoveSmall,
  flowErrors,
  flowsFromLabels,
  matchedIous,
  maxLabel,
  sameUpToNumbering,
  stitchPlanes,
} from '../../../workers/segmentation/masks/index.ts';
import { convexCells, SHAPE, SIDE } from '../../round-trip/convex-cells.ts';
import { bestIous, roundTrip } from '../../round-trip/overlapping-discs.ts';
import { randomOf } from '../kernels-comparison.ts';

/** The same cells under other numbers 1…N, and the number that each had. */
function shuffled(labels: Uint32Array, random: () => number): { labels: Uint32Array; was: number[] } {
  const was = Array.from({ length: maxLabel(labels) }, (_, k) => k + 1);
  for (let k = was.length - 1; k > 0; k--) {
    const other = Math.floor((k + 1) * random());
    [was[k], was[other]] = [was[other], was[k]];
  }
  was.unshift(0);
  const now = new Map(was.map((old, id) => [old, id]));
  return { labels: labels.map((label) => now.get(label)!), was };
}

describe('the numbers of labels change nothing', () => {
  for (let seed = 1; seed <= 4; seed++) {
    const random = randomOf(seed);
    const labels = convexCells(seed, 2.5, 0);
    const other = shuffled(labels, random);
    const moved = new Uint32Array(labels.length);
    moved.set(labels.subarray(0, -2 * SIDE - 1), 2 * SIDE + 1);

    it(`flows and flow errors, set ${seed}`, () => {
      const dP = flowsFromLabels(labels, SHAPE);
      assert.deepEqual(flowsFromLabels(other.labels, SHAPE), dP);
      const noisy = dP.map((flow) => 5 * flow + random() - 0.5);
      const errors = flowErrors(labels, noisy, SHAPE);
      const ofOther = flowErrors(other.labels, noisy, SHAPE);
      for (let id = 1; id < errors.length; id++) assert.equal(ofOther[id], errors[other.was[id]]);
    });

    it(`cleaning, stitching and metrics, set ${seed}`, () => {
      const clean = (image: Uint32Array) => fillHolesAndRemoveSmall(image.slice(), SHAPE, 30);
      assert.deepEqual(clean(other.labels), clean(labels));
      assert.deepEqual(averagePrecision(other.labels, moved), averagePrecision(labels, moved));
      assert.deepEqual(averagePrecision(moved, other.labels), averagePrecision(moved, labels));
      assert.equal(aggregatedJaccard(other.labels, moved), aggregatedJaccard(labels, moved));
      const { iou } = matchedIous(labels, moved);
      const ofOther = matchedIous(other.labels, moved).iou;
      // Cells without a match above one half may be paired in several ways that are as good.
      for (let id = 1; id <= iou.length; id++)
        if (iou[other.was[id] - 1] > 0.5) assert.equal(ofOther[id - 1], iou[other.was[id] - 1]);
      const stack = (upper: Uint32Array) => {
        const planes = new Uint32Array(2 * upper.length);
        planes.set(upper);
        planes.set(
          shuffled(
            moved.map((_, i) => moved[i]),
            random,
          ).labels,
          upper.length,
        );
        return stitchPlanes(planes, [2, SIDE, SIDE] as Shape3, 0.5);
      };
      assert.ok(sameUpToNumbering(stack(labels), stack(other.labels)));
    });
  }
});

describe('labels → flows → labels of convex cells', () => {
  let kernels: WasmKernels;
  before(async () => {
    kernels = await WasmKernels.create();
  });

  it('is the identity where a pixel of background lies between cells 7 pixels wide or more', async () => {
    for (let seed = 10; seed < 16; seed++) {
      const labels = convexCells(seed, 3.5, 1);
      for (const separate of [false, true])
        assert.ok(
          sameUpToNumbering(labels, await roundTrip(labels, SHAPE, kernels, { separate, niter: 1000 })),
          `set ${seed}, ${separate ? 'separate' : 'usual'} flows`,
        );
    }
  });

  it('keeps a cell of 5 pixels that has no pixel for eleven points, if seeds may be smaller', async () => {
    const labels = convexCells(111, 2.5, 1);
    const [few, fewer] = [
      await roundTrip(labels, SHAPE, kernels, {}),
      await roundTrip(labels, SHAPE, kernels, { seedCount: 6 }),
    ];
    assert.equal(maxLabel(few), maxLabel(labels) - 1);
    assert.ok(sameUpToNumbering(labels, fewer));
  });

  it('gives every touching cell back, but for single pixels of their borders', async () => {
    for (const separate of [false, true]) {
      let [pixels, astray] = [0, 0];
      for (let seed = 20; seed < 26; seed++) {
        const labels = convexCells(seed, 3, 0);
        const found = await roundTrip(labels, SHAPE, kernels, { separate });
        assert.equal(maxLabel(found), maxLabel(labels), `set ${seed}`);
        const ious = bestIous(labels, found);
        assert.ok(Math.min(...ious) >= 0.8, `set ${seed}: ${Math.min(...ious)}`);
        const partner = matchedIous(labels, found).predicted;
        for (let i = 0; i < labels.length; i++) {
          if (labels[i] === 0) continue;
          pixels++;
          if (partner[labels[i] - 1] !== found[i]) astray++;
        }
      }
      assert.ok(astray / pixels < (separate ? 0.002 : 0.006), `${astray} of ${pixels} pixels`);
    }
  });
});
