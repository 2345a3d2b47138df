import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CytoError } from '../../../core/errors.ts';
import { type MaskKernels, plainKernels } from '../../../workers/segmentation/kernels/kernels.ts';
import { ThreadedKernels } from '../../../workers/segmentation/kernels/threaded-kernels.ts';
import { WasmKernels } from '../../../workers/segmentation/kernels/wasm-kernels.ts';
import { boundaryScores, outlines } from '../../../workers/segmentation/masks/boundary.ts';
import {
  aggregatedJaccard,
  averagePrecision,
  fillHolesAndRemoveSmall,
  flowErrors,
  flowsFromLabels,
  labelsFromEnds,
  labelsFromFlows,
  type MaskParameters,
  MaskPipeline,
  maxLabel,
  sameUpToNumbering,
  stitchPlanes,
} from '../../../workers/segmentation/masks/index.ts';
import { randomOf } from '../kernels-comparison.ts';

const PARAMETERS: MaskParameters = {
  cellprobThreshold: 0,
  flowThreshold: 0.4,
  minSize: 15,
  maxSizeFraction: 0.4,
  niter: 20,
};

const badInput = (error: unknown) =>
  error instanceof CytoError && error.kind === 'bad-input' && error.message.length > 20;

/** Picks one of several. */
const oneOf = <T>(random: () => number, values: readonly T[]): T =>
  values[Math.floor(random() * values.length)];

/** Numbers a broken network or a careless caller may give. */
const ODD = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3.4e38, -3.4e38, 0, -1, 1e-45];

interface Fuzzed {
  shape: number[];
  dP: Float32Array;
  cellprob: Float32Array;
  parameters: MaskParameters;
}

/** Random shapes with axes of one pixel, odd flows, lengths that now and then disagree, odd parameters. */
function fuzzed(seed: number): Fuzzed {
  const random = randomOf(seed);
  const length = () => oneOf(random, [1, 1, 2, 3, 5, 8, 13, 21]);
  const shape = random() < 0.5 ? [length(), length()] : [length(), length(), length()];
  const pixels = shape.reduce((product, n) => product * n, 1);
  const wrong = () => (random() < 0.05 ? 1 : 0);
  const oddity = random() < 0.4 ? 0.03 : 0;
  const value = (size: number) =>
    random() < oddity ? oneOf(random, ODD) : size * (random() - (random() < 0.3 ? 0 : 0.5));
  const odd =
    random() < 0.2 ? ['cellprobThreshold', 'flowThreshold', 'minSize', 'maxSizeFraction', 'niter'] : [];
  const parameters = {
    ...PARAMETERS,
    flowThreshold: oneOf(random, [-1, 0, 0.4, 2]),
    minSize: oneOf(random, [-1, 0, 1, 15]),
  };
  for (const name of odd) {
    if (random() < 0.4)
      parameters[name as 'niter'] = oneOf(random, [
        ...ODD.slice(0, 3),
        -3,
        0,
        0.5,
        2 ** 31,
        undefined as never,
      ]);
  }
  // An endless number of steps is a valid wish that no test waits for.
  if (parameters.niter > 1000 && parameters.niter < 2 ** 31) parameters.niter = 1000;
  return {
    shape,
    dP: Float32Array.from({ length: shape.length * pixels + wrong() }, () => value(20)),
    cellprob: Float32Array.from({ length: pixels + wrong() }, () => value(4)),
    parameters,
  };
}

/** The labels, or the kind of the tagged error; any other error fails the test. */
async function outcome(work: () => Uint32Array | Promise<Uint32Array>): Promise<Uint32Array | string> {
  try {
    return await work();
  } catch (error) {
    assert.ok(error instanceof CytoError, (error as Error).stack);
    return error.kind;
  }
}

describe('flows → labels of anything', () => {
  const others: MaskKernels[] = [];
  before(async () => {
    const workerUrl = new URL('../../../dist/kernels.worker.js', import.meta.url);
    others.push(await WasmKernels.create(), await ThreadedKernels.create({ threads: 2, workerUrl }));
  });
  after(() => {
    for (const kernels of others) if (kernels instanceof ThreadedKernels) kernels.dispose();
  });

  it('gives labels 1…N or bad-input, the same from every kernel', async () => {
    const outcomes = new Map<string, number>();
    for (let seed = 0; seed < 400; seed++) {
      const { shape, dP, cellprob, parameters } = fuzzed(seed);
      const plain = await outcome(() => labelsFromFlows(dP, cellprob, shape, parameters));
      for (const kernels of others) {
        const own = await outcome(() => new MaskPipeline(dP, cellprob, shape, kernels).labels(parameters));
        assert.deepEqual(own, plain, `seed ${seed}, ${kernels.name}`);
      }
      const what = typeof plain === 'string' ? plain : maxLabel(plain) > 0 ? 'labels' : 'none';
      outcomes.set(what, (outcomes.get(what) ?? 0) + 1);
      if (typeof plain === 'string') continue;
      assert.equal(plain.length, cellprob.length);
      const used = new Set(plain);
      used.delete(0);
      assert.equal(used.size, maxLabel(plain), `seed ${seed}: numbered without gaps`);
    }
    assert.deepEqual([...outcomes.keys()].sort(), ['bad-input', 'labels', 'none']);
    for (const [what, times] of outcomes) assert.ok(times > 20, `${what}: ${times} times`);
  });

  it('names what is wrong', async () => {
    const dP = new Float32Array(2 * 12).fill(1);
    const cellprob = new Float32Array(12).fill(1);
    const run = (change: object, flows = dP, shape = [3, 4]) =>
      labelsFromFlows(flows, cellprob, shape, { ...PARAMETERS, ...change });
    const cases: Array<[RegExp, () => unknown]> = [
      [/cellprob threshold/, () => run({ cellprobThreshold: Number.NaN })],
      [/flow threshold/, () => run({ flowThreshold: undefined })],
      [/minimum size of 1.5/, () => run({ minSize: 1.5 })],
      [/maximum size fraction of -1/, () => run({ maxSizeFraction: -1 })],
      [/-1 Euler steps/, () => run({ niter: -1 })],
      [/Infinity Euler steps/, () => run({ niter: Number.POSITIVE_INFINITY })],
      [
        /flow at pixel \[0, 2\]/,
        () =>
          run(
            {},
            Float32Array.from(dP, (v, i) => (i === 2 ? Number.NaN : v)),
          ),
      ],
      [
        /flow at pixel \[2, 3\]/,
        () =>
          run(
            {},
            Float32Array.from(dP, (v, i) => (i === 23 ? -Infinity : v)),
          ),
      ],
      [/dP holds 24 values, but a 3×5 grid needs 30/, () => run({}, dP, [3, 5])],
      [/neither \[y, x\] nor \[z, y, x\]/, () => run({}, dP, [12])],
      [/neither \[y, x\] nor \[z, y, x\]/, () => run({}, dP, [0, 12])],
    ];
    for (const [words, work] of cases) {
      assert.throws(work, (error) => badInput(error) && words.test((error as Error).message), String(words));
    }
    const diffuse = async (kernels: MaskKernels) => kernels.diffuse(new Uint32Array(12), [3, 4], 0.5);
    for (const kernels of [plainKernels, ...others]) await assert.rejects(() => diffuse(kernels), badInput);
  });

  it('no foreground has no labels, a foreground everywhere is one if it may be as large', () => {
    const side = 40;
    const flows = new Float32Array(2 * side * side);
    for (let y = 0, i = 0; y < side; y++)
      for (let x = 0; x < side; x++, i++) {
        flows[i] = 5 * Math.sign(20.5 - y);
        flows[side * side + i] = 5 * Math.sign(20.5 - x);
      }
    const run = (cellprob: number, maxSizeFraction: number) =>
      labelsFromFlows(flows, new Float32Array(side * side).fill(cellprob), [side, side], {
        ...PARAMETERS,
        niter: 200,
        flowThreshold: 0,
        maxSizeFraction,
      });
    assert.ok(run(-1, 1).every((label) => label === 0));
    assert.ok(run(1, 1).every((label) => label === 1));
    assert.ok(run(1, 0.4).every((label) => label === 0));
  });
});

describe('label images of anything', () => {
  /** Labels with gaps, large ids, of any shape. */
  function anyLabels(random: () => number, pixels: number): Uint32Array {
    const ids = Array.from({ length: 5 }, () =>
      oneOf(random, [0, 1, 2, 3, 7, 65535, 70000, 4e9, 0xffffffff]),
    );
    let id = 0;
    return Uint32Array.from({ length: pixels }, () => {
      if (random() < 0.3) id = oneOf(random, ids);
      return id;
    });
  }

  it('cleaning, flows, errors, stitching and metrics give a result or a tagged error', () => {
    const seen = { results: 0, errors: 0 };
    const attempt = (seed: number, work: () => unknown) => {
      try {
        assert.notEqual(work(), undefined);
        seen.results++;
      } catch (error) {
        assert.ok(error instanceof CytoError && error.kind === 'bad-input', `seed ${seed}: ${error}`);
        seen.errors++;
      }
    };
    for (let seed = 0; seed < 300; seed++) {
      const random = randomOf(seed);
      const side = () => oneOf(random, [1, 2, 5, 9]);
      const shape = random() < 0.5 ? [side(), side()] : [side(), side(), side()];
      const pixels = shape.reduce((product, n) => product * n, 1);
      const length = random() < 0.1 ? pixels + 1 : pixels;
      const a = anyLabels(random, length);
      const b = random() < 0.1 ? anyLabels(random, length + 1) : anyLabels(random, length);
      const dP = Float32Array.from({ length: shape.length * pixels }, () =>
        random() < 0.05 ? oneOf(random, ODD) : random() - 0.5,
      );
      const threshold = oneOf(random, [0, 0.25, 1, -0.1, 1.1, Number.NaN]);
      attempt(seed, () => fillHolesAndRemoveSmall(a.slice(), shape, oneOf(random, [-1, 0, 3, Number.NaN])));
      attempt(seed, () =>
        flowsFromLabels(a, shape, { iterations: oneOf(random, [0, 5, -1, 0.5, Number.NaN]) }),
      );
      attempt(seed, () => flowErrors(a, dP, shape));
      attempt(seed, () => stitchPlanes(a, shape as unknown as [number, number, number], threshold));
      attempt(seed, () => averagePrecision(a, b, [threshold]));
      attempt(seed, () => aggregatedJaccard(a, b));
      attempt(seed, () => sameUpToNumbering(a, b));
      attempt(seed, () => outlines(a, shape));
      attempt(seed, () => boundaryScores(a, b, shape, [oneOf(random, [0, 0.1, 1e12, -1, Number.NaN])]));
      attempt(seed, () => labelsFromEnds(Int32Array.of(0), Int32Array.of(0), shape, threshold));
    }
    assert.ok(seen.results > 500 && seen.errors > 500, JSON.stringify(seen));
  });

  it('images of different size are not the same, and without cells no score is defined', () => {
    assert.equal(sameUpToNumbering(Uint32Array.of(1), Uint32Array.of(1, 1)), false);
    const empty = new Uint32Array(9);
    assert.deepEqual(averagePrecision(empty, empty), {
      thresholds: [0.5, 0.75, 0.9],
      ap: [Number.NaN, Number.NaN, Number.NaN],
      tp: [0, 0, 0],
      fp: [0, 0, 0],
      fn: [0, 0, 0],
    });
    assert.equal(aggregatedJaccard(empty, empty), Number.NaN);
    assert.deepEqual(boundaryScores(empty, empty.fill(1, 4, 5), [3, 3], [1]).recall, [1]);
  });
});
