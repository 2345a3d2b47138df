import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CytoError, type ErrorKind } from '../../../core/errors.ts';
import { WasmKernels } from '../../../workers/segmentation/kernels/wasm-kernels.ts';
import {
  aggregatedJaccard,
  averagePrecision,
  diffuseLabels,
  fillHolesAndRemoveSmall,
  flowErrors,
  flowsFromLabels,
  followFlows,
  labelCounts,
  matchedIous,
  maxLabel,
  renumber,
  stitchPlanes,
} from '../../../workers/segmentation/masks/index.ts';
import { planeOverlaps } from '../../../workers/segmentation/masks/overlaps.ts';

/** Fails unless the work is refused with this kind, by a sentence that ends in a way out. */
function refuses(kind: ErrorKind, work: () => unknown, words: RegExp): void {
  assert.throws(work, (error) => {
    assert.ok(error instanceof CytoError, String(error));
    assert.equal(error.kind, kind);
    assert.match(error.message, words);
    return true;
  });
}

const SIDE = 2048;
/** Cells in a row of squares of 2 × 2 pixels that fill the image: 1024² of them. */
const PER_ROW = SIDE / 2;

function squares(shift = 0): Uint32Array {
  const labels = new Uint32Array(SIDE * SIDE);
  for (let y = 0; y < SIDE; y++)
    for (let x = shift; x < SIDE; x++) labels[y * SIDE + x] = (y >> 1) * PER_ROW + ((x - shift) >> 1) + 1;
  return labels;
}

describe('a million cells that all touch', () => {
  const cells = PER_ROW ** 2;
  const labels = squares();
  const shifted = squares(1);

  it('are numbered and cleaned', () => {
    const reversed = labels.map((label) => cells + 1 - label);
    assert.equal(renumber(reversed), cells);
    assert.deepEqual(reversed, labels);
    // Of the shifted cells those in the last column are cut to 2 pixels.
    const cleaned = fillHolesAndRemoveSmall(shifted.slice(), [SIDE, SIDE], 3);
    assert.equal(maxLabel(cleaned), PER_ROW * (PER_ROW - 1));
  });

  it('are compared', () => {
    // Two cells overlap each cell in two pixels, so that all cells of a row hang together.
    const { tp, fp, fn } = averagePrecision(labels, shifted, [1 / 3]);
    assert.deepEqual([tp, fp, fn], [[cells], [0], [0]]);
    assert.equal(aggregatedJaccard(labels, shifted), 1 / 2);
  });

  it('are stitched', () => {
    const stack = new Uint32Array(2 * SIDE * SIDE);
    stack.set(labels);
    stack.set(shifted, SIDE * SIDE);
    assert.equal(maxLabel(stitchPlanes(stack, [2, SIDE, SIDE], 1 / 3, { inPlace: true })), cells);
  });

  it('are rated', async () => {
    const kernels = await WasmKernels.create();
    const diffused = kernels.diffuse(labels, [SIDE, SIDE]);
    const errors = flowErrors(labels, new Float32Array(2 * SIDE * SIDE), [SIDE, SIDE], { diffused });
    assert.equal(errors.length, cells + 1);
    assert.ok(errors.subarray(1).every((error) => error >= 0 && error < 1 + 1e-12));
  });
});

describe('limits', () => {
  const huge = [46341, 46341];
  const none = new Float32Array(0);

  it('above 2^31 - 1 pixels everything refuses before it allocates', () => {
    const labels = new Uint32Array(0);
    const words = /2147488281 pixels .* region/;
    refuses('too-large', () => followFlows(none, none, huge, { cellprobThreshold: 0, niter: 1 }), words);
    refuses('too-large', () => diffuseLabels(labels, huge), words);
    refuses('too-large', () => flowsFromLabels(labels, huge), words);
    refuses('too-large', () => flowErrors(labels, none, huge), words);
    refuses('too-large', () => fillHolesAndRemoveSmall(labels, huge, 15), words);
    refuses('too-large', () => stitchPlanes(labels, [2048, 1024, 1024], 0.25), /2147483648 pixels/);
  });

  it('along an axis whose pixels single precision does not tell apart nothing is followed', async () => {
    const shape = [1, 2 ** 22 + 1];
    const [dP, cellprob] = [new Float32Array(2 * shape[1]), new Float32Array(shape[1])];
    const parameters = { cellprobThreshold: 0, niter: 1 };
    const words = /4194305 pixels .* region/;
    refuses('too-large', () => followFlows(dP, cellprob, shape, parameters), words);
    const kernels = await WasmKernels.create();
    refuses('too-large', () => kernels.follow(dP, cellprob, shape, parameters), words);
  });

  it('WebAssembly refuses what does not fit into its 4 GiB', async () => {
    const kernels = await WasmKernels.create();
    // 20 000² labels and their heat are 4.8 GB.
    const side = 20_000;
    const labels = new Uint32Array(side * side);
    refuses('too-large', () => kernels.diffuse(labels, [side, side]), /MiB of memory .* region/);
  });

  it('one stray id of 4 · 10^9 costs no memory', () => {
    const labels = new Uint32Array(100);
    labels[7] = 4e9;
    labels[8] = 3;
    const shape = [10, 10];
    const words = /renumber the labels first/;
    refuses('bad-input', () => labelCounts(labels), words);
    refuses('bad-input', () => diffuseLabels(labels, shape), words);
    refuses('bad-input', () => flowsFromLabels(labels, shape), words);
    refuses('bad-input', () => fillHolesAndRemoveSmall(labels.slice(), shape, -1), words);
    refuses('bad-input', () => fillHolesAndRemoveSmall(labels.slice(), shape, 1), words);
    refuses('bad-input', () => stitchPlanes(labels, [1, 10, 10], 0.25), words);
    refuses('bad-input', () => matchedIous(labels, labels), words);
    assert.deepEqual(averagePrecision(labels, labels).ap, [1, 1, 1]);
    assert.equal(aggregatedJaccard(labels, labels), 1);
    assert.deepEqual(
      [...matchedIous(Uint32Array.of(2, 1), Uint32Array.of(4e9, 4e9 - 1)).predicted],
      [4e9 - 1, 4e9],
    );
    assert.equal(renumber(labels), 2);
    assert.deepEqual([labels[7], labels[8]], [1, 2]);
  });

  it('pairs of large ids are told apart', () => {
    // truth · 2^26 + predicted is the same number for both.
    const truth = Uint32Array.of(1, 2);
    const predicted = Uint32Array.of(2 ** 26 + 5, 5);
    assert.deepEqual(averagePrecision(truth, predicted, [0.5]).tp, [2]);
    const pairs = planeOverlaps(Uint32Array.of(4e9, 1), Uint32Array.of(4e9 - 1, 4e9));
    assert.deepEqual(
      pairs.map(({ upper, lower, pixels }) => [upper, lower, pixels]),
      [
        [1, 4e9, 1],
        [4e9, 4e9 - 1, 1],
      ],
    );
  });
});
