/// <reference lib="dom" />
import type { SegmentationParameters } from '../../core/segmentation-parameters.ts';

export interface EvaluationTask {
  image: string;
  mask: string;
  parameters: Partial<SegmentationParameters>;
  model?: string;
  backend?: 'auto' | 'webgpu' | 'wasm';
}

export interface Evaluation {
  /** AP at IoU 0.5, 0.75 and 0.9; null when neither the truth nor the result has a cell. */
  ap: (number | null)[];
  cells: number;
  truth: number;
  seconds: number;
  megapixels: number;
  backend: string;
  model: string;
}

/** Runs in the page: segments one image as a user's page would and scores it. Self-contained: it is sent as text. */
export async function evaluateInPage(task: EvaluationTask): Promise<Evaluation> {
  const from = (name: string) => new URL(`/dist/${name}.js`, location.href).href;
  const io: typeof import('../../workers/io/index.ts') = await import(from('io'));
  const { SegmentationClient }: typeof import('../../workers/segmentation/client.ts') = await import(
    from('segmentation-client')
  );
  const { averagePrecision }: typeof import('../../workers/segmentation/index.ts') = await import(
    from('segmentation')
  );
  const kept = globalThis as unknown as {
    reader?: InstanceType<typeof io.ImageReader>;
    client?: InstanceType<typeof SegmentationClient>;
  };
  kept.reader ??= new io.ImageReader();
  kept.client ??= new SegmentationClient();
  const read = async (address: string) => {
    const source = await kept.reader!.open(new URL(address, location.href).href);
    const volume = await source.readVolume();
    source.close();
    return volume;
  };
  const image = await read(task.image);
  const mask = await read(task.mask);
  const [, , nz, ny, nx] = image.shape;
  const truth = Uint32Array.from(mask.data.subarray(0, nz * ny * nx));
  const { calibrated, spacing } = image.calibration;
  const stated = calibrated && nz > 1 ? { anisotropy: spacing[0] / Math.sqrt(spacing[1] * spacing[2]) } : {};
  const started = performance.now();
  const result = await kept.client.run(
    image,
    { mode: nz > 1 ? 'stitch' : '2d', ...stated, ...task.parameters },
    { ...(task.model ? { model: task.model } : {}), ...(task.backend ? { backend: task.backend } : {}) },
  );
  const seconds = (performance.now() - started) / 1000;
  if (result.labels.length !== truth.length) {
    throw new Error(
      `The image has ${result.shape.join('×')} pixels, its mask ${mask.shape.slice(2).join('×')}.`,
    );
  }
  const { ap, tp, fn } = averagePrecision(truth, result.labels);
  return {
    ap: ap.map((value) => (Number.isNaN(value) ? null : value)),
    cells: result.count,
    truth: tp[0] + fn[0],
    seconds,
    megapixels: truth.length / 1e6,
    backend: `${result.backend.kind}${result.backend.threads > 1 ? ` × ${result.backend.threads}` : ''}`,
    model: result.model.id,
  };
}
