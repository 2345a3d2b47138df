import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openStage, type Stage } from './browser.ts';

interface Outcome {
  /** Ids of the models that were left before the new one was kept. */
  left: string[];
  base: string;
  /** The kept model's card and the names of its files. */
  card: string;
  files: string[];
  steps: number;
}

/**
 * Runs in the page: trains from a model of the browser's storage that is forgotten after the first step.
 * @param cancel whether the training is cancelled then, and gone on with
 */
async function trainOrphan(cancel: boolean): Promise<Outcome> {
  const from = (name: string) => new URL(`/dist/${name}.js`, location.href).href;
  const io: typeof import('../../workers/io/index.ts') = await import(from('io'));
  const { TrainingClient }: typeof import('../../workers/training/client.ts') = await import(
    from('training')
  );
  const { ModelLibrary }: typeof import('../../workers/models/client.ts') = await import(
    from('model-library')
  );
  const library = new ModelLibrary();
  const tensors = ['test_input', 'test_output', 'quick_input', 'quick_output'].map((name) => `${name}.npy`);
  const files: File[] = [];
  for (const name of ['rdf.yaml', 'model.onnx', 'rehearsal.npy', ...tensors]) {
    const answer = await fetch(new URL(`/test/evaluate/cyto-s1-without-usiigaci/${name}`, location.href));
    files.push(new File([await answer.blob()], name));
  }
  const base = (await library.add(files)).id;
  const reader = new io.ImageReader();
  const read = async (name: string) => {
    const source = await reader.open(new URL(`/test/e2e/yeast/${name}.png`, location.href).href);
    return source.readVolume();
  };
  const load = async (name: string) => {
    const { data, shape } = await read(name);
    const labels = Uint32Array.from((await read(`${name}-labels`)).data);
    return { name, channels: [data], shape: [shape[3], shape[4]] as const, labels };
  };
  const images = [await load('tp1'), await load('tp2')];
  const training = new TrainingClient();
  const stop = new AbortController();
  let forgotten: Promise<void> | undefined;
  const first = training.train(
    images,
    { epochs: 1 },
    {
      name: 'orphan',
      model: base,
      signal: stop.signal,
      onProgress: ({ phase }) => {
        if (phase !== 'train') return;
        forgotten ??= library.forget(base);
        if (cancel) stop.abort();
      },
    },
  );
  let trained: Awaited<typeof first>;
  if (cancel) {
    await first.catch((error: { kind: string }) => {
      if (error.kind !== 'aborted') throw error;
    });
    // The worker keeps what was learned before it ends.
    while (!(await training.unfinished())) await new Promise((resolve) => setTimeout(resolve, 100));
    trained = await training.resume();
  } else trained = await first;
  await forgotten;
  const left = (await library.list()).map(({ id }) => id);
  const { id } = await training.accept(trained);
  const kept = await library.files(id);
  const card = await (kept.get('rdf.yaml') as Blob).text();
  training.dispose();
  library.dispose();
  return { left, base, card, files: [...kept.keys()], steps: trained.steps };
}

describe('a training whose first model is forgotten meanwhile', () => {
  let stage: Stage;
  before(async () => {
    stage = await openStage();
    stage.page.setDefaultTimeout(240_000);
    await stage.page.goto(`${stage.origin}/test/evaluate/page.html`);
  });
  after(() => stage.close());

  for (const cancel of [false, true]) {
    it(cancel ? 'can be interrupted and gone on with' : 'comes to its end', async () => {
      const outcome = await stage.page.evaluate(trainOrphan, cancel);
      assert.ok(!outcome.left.includes(outcome.base), outcome.left.join());
      assert.equal(outcome.steps, 6);
      assert.match(outcome.card, /parent:\n\s+id: cyto-s1/);
      assert.ok(outcome.files.includes('rehearsal.npy'));
      assert.deepEqual(stage.problems, []);
    });
  }
});
