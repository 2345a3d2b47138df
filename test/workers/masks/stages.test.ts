import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WasmKernels } from '../../../workers/segmentation/kernels/wasm-kernels.ts';
import { type MaskParameters, MaskPipeline } from '../../../workers/segmentation/masks/index.ts';
import type { MaskStage } from '../../../workers/segmentation/masks/mask-pipeline.ts';
import { flowFields } from '../kernels-comparison.ts';

const PARAMETERS: MaskParameters = {
  cellprobThreshold: 0,
  flowThreshold: 0.4,
  minSize: 15,
  maxSizeFraction: 0.4,
  niter: 200,
};
const FIELDS = flowFields();
const ALL: MaskStage[] = ['follow', 'seeds', 'flow-error', 'clean'];

describe('stages that run again', () => {
  const cases: Array<[string, Partial<MaskParameters>, MaskStage[]]> = [
    ['nothing changed', {}, ['clean']],
    ['cellprob threshold', { cellprobThreshold: 1 }, ALL],
    ['steps', { niter: 100 }, ALL],
    ['maximum size', { maxSizeFraction: 0.1 }, ['seeds', 'flow-error', 'clean']],
    ['flow threshold', { flowThreshold: 0.1 }, ['clean']],
    ['flow threshold off', { flowThreshold: 0 }, ['clean']],
    ['minimum size', { minSize: 100 }, ['clean']],
  ];
  for (const [name, change, expected] of cases) {
    it(`${name}: ${expected.join(', ')}`, async () => {
      const { dP, cellprob, shape } = FIELDS.find((field) => field.name === 'discs')!;
      const pipeline = new MaskPipeline(dP, cellprob, shape, await WasmKernels.create());
      const run = async (parameters: MaskParameters) => {
        const stages: MaskStage[] = [];
        await pipeline.labels(parameters, { onStage: (stage) => stages.push(stage) });
        return stages;
      };
      assert.deepEqual(await run(PARAMETERS), ALL);
      assert.deepEqual(await run({ ...PARAMETERS, ...change }), expected);
    });
  }

  it('a volume has no flow error', async () => {
    const { dP, cellprob, shape } = FIELDS.find((field) => field.name === 'balls')!;
    const stages: MaskStage[] = [];
    const pipeline = new MaskPipeline(dP, cellprob, shape, await WasmKernels.create());
    await pipeline.labels(PARAMETERS, { onStage: (stage) => stages.push(stage) });
    assert.deepEqual(stages, ['follow', 'seeds', 'clean']);
  });
});
