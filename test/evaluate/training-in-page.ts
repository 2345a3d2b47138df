/// <reference lib="dom" />
import type { TrainingSettings } from '../../workers/training/client.ts';
import type { Addresses } from './image-set.ts';

/** A training to be judged: images to learn from, and others to judge by; of stacks the plane in the middle. */
export interface TrainingTask {
  learn: Addresses[];
  judge: Addresses[];
  settings: Partial<TrainingSettings>;
  /** Of the new model. */
  name: string;
  /** Images of other kinds, by the name of their set. */
  also: { name: string; images: Addresses[] }[];
  /** Address of the folder of the model to start from; absent: the one that ships. */
  base?: string;
  /** AP@0.5 of that model on images, by their address, as far as it is known. */
  known: Record<string, number>;
}

export interface TrainingEvaluation {
  /** Mean AP@0.5 over the images to judge by, of the model that was started from and of the new one. */
  before: number;
  after: number;
  seconds: number;
  steps: number;
  /** Whether the training itself, by what it held back, found the new model better. */
  improved: boolean;
  /** Share of what was learned that was kept. */
  share: number;
  /** How much of what the model knew is left, from 0 to 1, as the training itself found it. */
  remembered?: number;
  /** On the images of other kinds. */
  also: { name: string; before: number; after: number }[];
  /** AP@0.5 of the model that was started from on every image that was judged, by address. */
  known: Record<string, number>;
}

/** Runs in the page: trains as a user's page would, and judges by other images. Self-contained: it is sent as text. */
export async function trainInPage(task: TrainingTask): Promise<TrainingEvaluation> {
  const from = (name: string) => new URL(`/dist/${name}.js`, location.href).href;
  const io: typeof import('../../workers/io/index.ts') = await import(from('io'));
  const { SegmentationClient }: typeof import('../../workers/segmentation/client.ts') = await import(
    from('segmentation-client')
  );
  const { averagePrecision }: typeof import('../../workers/segmentation/index.ts') = await import(
    from('segmentation')
  );
  const { TrainingClient }: typeof import('../../workers/training/client.ts') = await import(
    from('training')
  );
  const core: typeof import('../../core/index.ts') = await import(from('core'));
  const reader = new io.ImageReader();
  const read = async (address: string) => {
    const source = await reader.open(new URL(address, location.href).href);
    const volume = await source.readVolume();
    source.close();
    return volume;
  };
  const load = async ({ image, mask }: Addresses) => {
    const volume = await read(image);
    const [, nc, nz, ny, nx] = volume.shape;
    const area = ny * nx;
    const first = (nz >> 1) * area;
    const channels = Array.from({ length: Math.min(3, nc) }, (_, c) =>
      core.channelView(volume, 0, c).slice(first, first + area),
    );
    const labels = Uint32Array.from((await read(mask)).data.subarray(0, area));
    return { name: image, channels, shape: [ny, nx] as const, labels };
  };
  const learn = await Promise.all(task.learn.map(load));
  const segmentation = new SegmentationClient();
  // The model that is started from is the same for all choices: each image is judged once.
  const known = { ...task.known };
  const score = async (images: readonly Addresses[], model: string | undefined, trained: boolean) => {
    let sum = 0;
    for (const addresses of images) {
      const before = trained ? undefined : known[addresses.image];
      if (before !== undefined) {
        sum += before;
        continue;
      }
      const { channels, shape, labels } = await load(addresses);
      const area = shape[0] * shape[1];
      const dtype = core.dtypeOf(channels[0]);
      const data = core.allocate(dtype, channels.length * area);
      for (const [c, samples] of channels.entries()) data.set(samples as never, c * area);
      const volume = core.createVolume({ data, shape: [channels.length, 1, ...shape] });
      const result = await segmentation.run(volume, { mode: '2d' }, model ? { model } : {});
      const [ap] = averagePrecision(labels, result.labels).ap;
      if (!trained) known[addresses.image] = ap;
      sum += ap;
    }
    return sum / images.length;
  };
  const scores = async (model: string | undefined, trained: boolean) => {
    const found: number[] = [];
    for (const { images } of task.also) found.push(await score(images, model, trained));
    return { judge: await score(task.judge, model, trained), also: found };
  };
  const { ModelLibrary }: typeof import('../../workers/models/client.ts') = await import(
    from('model-library')
  );
  const library = new ModelLibrary();
  let base: string | undefined;
  if (task.base) {
    const tensors = ['test_input', 'test_output', 'quick_input', 'quick_output'];
    const names = ['rdf.yaml', 'model.onnx', 'rehearsal.npy', ...tensors.map((name) => `${name}.npy`)];
    const files: File[] = [];
    for (const name of names) {
      const answer = await fetch(new URL(`${task.base}${name}`, location.href));
      if (answer.ok) files.push(new File([await answer.blob()], name));
    }
    base = (await library.add(files)).id;
  }
  const training = new TrainingClient();
  const before = await scores(base, false);
  const started = performance.now();
  const trained = await training.train(learn, task.settings, {
    name: task.name,
    ...(base ? { model: base } : {}),
  });
  const seconds = (performance.now() - started) / 1000;
  const { id } = await training.accept(trained);
  const after = await scores(id, true);
  await library.forget(id);
  library.dispose();
  segmentation.dispose();
  training.dispose();
  return {
    before: before.judge,
    after: after.judge,
    seconds,
    steps: trained.steps,
    improved: trained.improved,
    share: trained.share,
    ...(trained.remembered === undefined ? {} : { remembered: trained.remembered }),
    known,
    also: task.also.map(({ name }, k) => ({ name, before: before.also[k], after: after.also[k] })),
  };
}
