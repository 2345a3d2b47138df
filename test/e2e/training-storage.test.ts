import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openStage, type Stage } from './browser.ts';

describe('the files of a training', () => {
  let stage: Stage;
  before(async () => {
    stage = await openStage();
    await stage.page.goto(`${stage.origin}/test/evaluate/page.html`);
  });
  after(() => stage.close());

  it('are there to the end, also if the model that was started from is forgotten meanwhile', async () => {
    const outcome = await stage.page.evaluate(async () => {
      const from = (name: string) => new URL(`/dist/${name}.js`, location.href).href;
      const io: typeof import('../../workers/io/index.ts') = await import(from('io'));
      const { TrainingClient }: typeof import('../../workers/training/client.ts') = await import(
        from('training')
      );
      const { ModelLibrary }: typeof import('../../workers/models/client.ts') = await import(
        from('model-library')
      );
      const library = new ModelLibrary();
      const tensors = ['test_input', 'test_output', 'quick_input', 'quick_output'].map(
        (name) => `${name}.npy`,
      );
      const files: File[] = [];
      for (const name of ['rdf.yaml', 'model.onnx', 'rehearsal.npy', ...tensors]) {
        const answer = await fetch(new URL(`/test/evaluate/cyto-s1-without-usiigaci/${name}`, location.href));
        files.push(new File([await answer.blob()], name));
      }
      const base = await library.add(files);
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
      let forgotten: Promise<void> | undefined;
      const trained = await training.train(
        images,
        { epochs: 1 },
        {
          name: 'orphan',
          model: base.id,
          onProgress: ({ phase }) => {
            if (phase === 'train') forgotten ??= library.forget(base.id);
          },
        },
      );
      await forgotten;
      const left = (await library.list()).map(({ id }) => id);
      const { id } = await training.accept(trained);
      const kept = await library.files(id);
      const card = await (kept.get('rdf.yaml') as Blob).text();
      training.dispose();
      library.dispose();
      return { forgotten: forgotten !== undefined && !left.includes(base.id), card, files: [...kept.keys()] };
    });
    assert.equal(outcome.forgotten, true);
    assert.match(outcome.card, /parent:\n\s+id: cyto-s1/);
    assert.ok(outcome.files.includes('rehearsal.npy'));
    assert.deepEqual(stage.problems, []);
  });
});
