import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CytoError } from '../../core/errors.ts';
import { type MaskKernels, plainKernels } from '../../workers/segmentation/kernels/kernels.ts';
import { ThreadedKernels } from '../../workers/segmentation/kernels/threaded-kernels.ts';
import { WasmKernels } from '../../workers/segmentation/kernels/wasm-kernels.ts';
import { labelsFromEnds, labelsFromFlows } from '../../workers/segmentation/masks/labels-from-flows.ts';
import { MaskPipeline } from '../../workers/segmentation/masks/mask-pipeline.ts';
import { flowFields, randomOf } from './kernels-comparison.ts';

const workerUrl = new URL('../../dist/kernels.worker.js', import.meta.url);

/** Bit for bit, NaN included. */
function sameBits(actual: ArrayBufferView, expected: ArrayBufferView, what: string): void {
  const bytes = (view: ArrayBufferView) => Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  assert.equal(bytes(actual).compare(bytes(expected)), 0, what);
}

const makers: [string, () => Promise<MaskKernels>][] = [
  ['wasm', () => WasmKernels.create()],
  ['3 threads', () => ThreadedKernels.create({ threads: 3, workerUrl })],
];

for (const [title, make] of makers) {
  describe(`kernels: ${title}`, () => {
    let kernels: MaskKernels;
    before(async () => {
      kernels = await make();
    });
    after(() => {
      if (kernels instanceof ThreadedKernels) kernels.dispose();
    });

    for (const { name, shape, dP, cellprob } of flowFields()) {
      it(`${name}: positions, ends and heat are those of the plain functions`, async () => {
        for (const niter of [0, 1, 7, 64, 65, 200, 1000]) {
          const parameters = { cellprobThreshold: 0, niter };
          const expected = await plainKernels.follow(dP, cellprob, shape, parameters, { positions: true });
          const actual = await kernels.follow(dP, cellprob, shape, parameters, { positions: true });
          sameBits(actual.index, expected.index, `index, ${niter} steps`);
          sameBits(actual.ends, expected.ends, `ends, ${niter} steps`);
          sameBits(actual.position!, expected.position!, `positions, ${niter} steps`);
          // Without positions points need not be followed to where they rest.
          const { ends } = await kernels.follow(dP, cellprob, shape, parameters);
          sameBits(ends, expected.ends, `ends alone, ${niter} steps`);
          if (niter !== 200) continue;
          const labels = labelsFromEnds(actual.index, actual.ends, shape, 1);
          const heat = await plainKernels.diffuse(labels, shape);
          const own = await kernels.diffuse(labels, shape);
          sameBits(own.heat, heat.heat, 'heat');
          assert.deepEqual(
            [own.iterations, own.centers, own.boxes],
            [heat.iterations, heat.centers, heat.boxes],
          );
        }
      });
    }

    it('gives the same labels through a pipeline, whatever changes', async () => {
      const { dP, cellprob, shape } = flowFields().find(({ name }) => name === 'discs')!;
      const random = randomOf(21);
      const pipeline = new MaskPipeline(dP, cellprob, shape, kernels);
      for (let k = 0; k < 8; k++) {
        const parameters = {
          cellprobThreshold: random() < 0.5 ? 0 : 1,
          flowThreshold: random() < 0.5 ? 0.4 : 0.02,
          minSize: random() < 0.5 ? 15 : 300,
          maxSizeFraction: random() < 0.5 ? 0.4 : 0.02,
          niter: random() < 0.5 ? 200 : 40,
        };
        assert.deepEqual(
          await pipeline.labels(parameters),
          labelsFromFlows(dP, cellprob, shape, parameters),
          JSON.stringify(parameters),
        );
      }
    });

    it('is cancelled by its signal and works afterwards', async () => {
      const { dP, cellprob, shape } = flowFields()[0];
      const parameters = { cellprobThreshold: 0, niter: 50 };
      const work = async () =>
        kernels.follow(dP, cellprob, shape, parameters, { signal: AbortSignal.abort() });
      await assert.rejects(work, (error) => error instanceof CytoError && error.kind === 'aborted');
      const { ends } = await kernels.follow(dP, cellprob, shape, parameters);
      sameBits(ends, (await plainKernels.follow(dP, cellprob, shape, parameters)).ends, 'ends');
    });

    it('names flows that are not finite', async () => {
      const { dP, cellprob, shape } = flowFields()[0];
      const broken = dP.slice();
      broken[cellprob.findIndex((value) => value > 0)] = Number.NaN;
      const work = async () => kernels.follow(broken, cellprob, shape, { cellprobThreshold: 0, niter: 5 });
      await assert.rejects(work, (error) => error instanceof CytoError && error.kind === 'bad-input');
    });
  });
}
