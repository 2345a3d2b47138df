import { asCytoError, type CytoError } from '../../core/errors.ts';
import type { Box, LabelVolume } from '../../core/label-volume.ts';
import type { LabelsLayer } from '../../core/layer.ts';
import type { ChannelSamples } from '../../core/measure/columns.ts';
import {
  type MeasurementInput,
  type Measurements,
  updateMeasurements,
} from '../../core/measure/measurements.ts';
import type { ViewerModel } from '../../core/viewer-model.ts';
import { channelView } from '../../core/volume.ts';
import type { MeasureClient } from '../../workers/measure/client.ts';

/** Milliseconds that edits rest before they are measured. */
const EDIT_DELAY = 80;
/** Milliseconds without a measurement after which the worker is let go. */
const IDLE = 20_000;
/** Edited boxes of more voxels are measured in the worker. */
const LARGE_EDIT = 1 << 21;

/** The images of a scene that can be measured inside labels: every channel of the shape of the labels. */
export function channelsFor(model: ViewerModel, labels: LabelVolume): ChannelSamples[] {
  const volumes = [...new Set(model.images.map(({ volume }) => volume))].filter(({ shape }) =>
    labels.shape.every((length, axis) => length === shape[axis + 2]),
  );
  return volumes.flatMap((volume) =>
    volume.channels.slice(0, volume.shape[1]).map(({ name }, c) => ({
      name: volumes.length > 1 ? `${volume.name} · ${name}` : name,
      samples: channelView(volume, Math.min(model.cursor.t, volume.shape[0] - 1), c),
    })),
  );
}

/** What is measured of a label layer: labels of the scene's size have the scene's spacing, whatever they say. */
export function measurementInput(model: ViewerModel, { labels }: LabelsLayer): MeasurementInput {
  const { shape, spacing, unit } = model.dims;
  const sameSize = labels.shape.every((length, axis) => length === shape[axis]);
  return {
    labels: labels.data,
    shape: labels.shape,
    calibration: sameSize || !labels.calibration.calibrated ? { spacing, unit } : labels.calibration,
    channels: channelsFor(model, labels),
    supplied: [...labels.supplied].map(([key, values]) => ({ key, values })),
  };
}

/** Keeps the measurements of a label layer in step with its labels and the images around them. */
export class MeasuredLabels {
  readonly #changed: (error?: CytoError) => void;
  #model: ViewerModel | undefined;
  #layer: LabelsLayer | undefined;
  #following: AbortController | undefined;
  #measuring: AbortController | undefined;
  #client: Promise<MeasureClient> | undefined;
  #edited: Box | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #idle: ReturnType<typeof setTimeout> | undefined;
  /** What had come with the labels when they were last measured. */
  #columns = new Map<string, { values: ReadonlyMap<number, number>; size: number }>();
  /** The latest measurements; undefined before the first. */
  measurements: Measurements | undefined;

  /** @param changed called after new measurements, or with what went wrong */
  constructor(changed: (error?: CytoError) => void) {
    this.#changed = changed;
  }

  get layer(): LabelsLayer | undefined {
    return this.#layer;
  }

  /** Whether a measurement is under way or about to start. */
  get busy(): boolean {
    return this.#measuring !== undefined || this.#edited !== undefined;
  }

  /** Follows another layer, or none. */
  follow(model: ViewerModel | undefined, layer: LabelsLayer | undefined): void {
    if (model === this.#model && layer === this.#layer) return;
    this.#following?.abort();
    this.#measuring?.abort();
    this.#measuring = undefined;
    clearTimeout(this.#timer);
    this.#edited = undefined;
    this.#model = model;
    this.#layer = layer;
    this.measurements = undefined;
    if (!model || !layer) {
      this.#letGo(0);
      return;
    }
    const following = new AbortController();
    this.#following = following;
    const { signal } = following;
    layer.labels.addEventListener(
      'change',
      (event) => this.#edit((event as CustomEvent<{ box: Box }>).detail.box),
      { signal },
    );
    // Other images or another time point: other intensities.
    const everything = () => this.#edit([0, 0, 0, ...layer.labels.shape]);
    const image = ({ layer: { kind } }: { layer: { kind: string } }) => {
      if (kind === 'image') everything();
    };
    model.on('layer-add', image, { signal });
    model.on('layer-remove', image, { signal });
    model.on('dims-change', everything, { signal });
    let { t } = model.cursor;
    model.on(
      'cursor-change',
      ({ cursor }) => {
        if (cursor.t !== t && model.dims.sizeT > 1) everything();
        t = cursor.t;
      },
      { signal },
    );
    void this.#measureAll();
  }

  #edit(box: Box): void {
    const before = this.#edited;
    this.#edited = before
      ? (before.map((value, k) =>
          k < 3 ? Math.min(value, box[k]) : Math.max(value, box[k]),
        ) as unknown as Box)
      : box;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#measureEdited(), EDIT_DELAY);
  }

  #measureEdited(): void {
    const box = this.#edited;
    const { measurements } = this;
    if (!box || !this.#model || !this.#layer) return;
    // The worker measures the labels as they were: it starts again.
    const [dz, dy, dx] = [0, 1, 2].map((axis) => box[axis + 3] - box[axis]);
    const large = dz * dy * dx > LARGE_EDIT;
    if (this.#measuring || !measurements || large || this.#hasNewColumns(this.#layer.labels)) {
      void this.#measureAll();
      return;
    }
    this.#edited = undefined;
    const input = measurementInput(this.#model, this.#layer);
    this.measurements = updateMeasurements(measurements, input, box);
    this.#forgetEdited(this.#layer.labels, this.measurements);
    this.#noteColumns(this.#layer.labels);
    this.#changed();
  }

  /** Whether values came with the labels since they were measured: of a new run or other thresholds, not of an edit. */
  #hasNewColumns({ supplied }: LabelVolume): boolean {
    return [...supplied].some(([key, values]) => {
      const known = this.#columns.get(key);
      return known?.values !== values || known.size !== values.size;
    });
  }

  #noteColumns({ supplied }: LabelVolume): void {
    this.#columns = new Map([...supplied].map(([key, values]) => [key, { values, size: values.size }]));
  }

  /** Supplied values of edited labels are void for good. */
  #forgetEdited(labels: LabelVolume, { ids, values }: Measurements): void {
    for (const [key, known] of labels.supplied) {
      const column = values[key];
      ids.forEach((id, row) => {
        if (column && Number.isNaN(column[row])) known.delete(id);
      });
    }
  }

  async #measureAll(): Promise<void> {
    const [model, layer] = [this.#model, this.#layer];
    if (!model || !layer) return;
    this.#edited = undefined;
    this.#measuring?.abort();
    const measuring = new AbortController();
    this.#measuring = measuring;
    clearTimeout(this.#idle);
    let failure: CytoError | undefined;
    try {
      this.#client ??= import('../../workers/measure/client.ts').then(
        ({ MeasureClient }) => new MeasureClient(),
      );
      const client = await this.#client;
      if (measuring.signal.aborted) return;
      this.#noteColumns(layer.labels);
      const measurements = await client.measure(measurementInput(model, layer), { signal: measuring.signal });
      if (measuring.signal.aborted) return;
      this.measurements = measurements;
    } catch (cause) {
      failure = asCytoError(cause);
      if (measuring.signal.aborted || failure.kind === 'aborted') return;
    } finally {
      if (this.#measuring === measuring) {
        this.#measuring = undefined;
        this.#letGo(IDLE);
      }
    }
    this.#changed(failure);
  }

  /** Ends the worker after a while. */
  #letGo(delay: number): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      const client = this.#client;
      this.#client = undefined;
      client?.then(
        (loaded) => loaded.dispose(),
        () => undefined, // it never came to be; the measurement has the error
      );
    }, delay);
  }
}
