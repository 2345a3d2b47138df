import { html, type ReactiveController, type TemplateResult } from 'lit';
import { type ImageLayer, type ImageLayerSettings, imageLayer } from '../../core/layer.ts';
import { type NetworkOutput, OUTPUT_KINDS, type OutputKind } from '../../core/segmentation-parameters.ts';
import type { ViewerModel } from '../../core/viewer-model.ts';
import { allocate, createVolume, type Volume } from '../../core/volume.ts';
import type { ViewerPart } from '../controls/viewer-part.ts';
import type { Texts } from '../localization/en.ts';
import type { RunClient } from './run-client.ts';
import type { ShownResult } from './shown-result.ts';

/** Logits that get the darkest and the brightest colour: below and above, the network is sure. */
const SURE = 6;

/** How the layers look until the user has them otherwise. */
const LOOKS: Record<OutputKind, Partial<ImageLayerSettings>> = {
  flows: {},
  cellprob: { colormap: 'viridis', contrast: [-SURE, SURE] },
};

/** Property of the segmenter that says whether a layer is wanted. */
const WISHES = { flows: 'showFlows', cellprob: 'showCellprob' } as const satisfies Record<OutputKind, string>;

type OutputHost = ViewerPart & Record<(typeof WISHES)[OutputKind], boolean>;

/** Layers of what the network gave for the image of the last run, where they are wanted: flows as colours, cell probability. */
export class OutputLayers implements ReactiveController {
  readonly #host: OutputHost;
  readonly #result: ShownResult;
  readonly #client: RunClient;
  readonly #layers = new Map<OutputKind, ImageLayer>();

  /** @param client has what the network gave for the image of `result` */
  constructor(host: OutputHost, result: ShownResult, client: RunClient) {
    this.#host = host;
    this.#result = result;
    this.#client = client;
    host.addController(this);
  }

  hostUpdate(): void {
    const model = this.#host.viewer?.model;
    for (const [kind, layer] of this.#layers) {
      if (!model || model.layers.includes(layer)) continue;
      this.#layers.delete(kind);
      // By the user: where it went with its image, there is no result by now, and the next image has its layer.
      if (this.#result.image) this.#host[WISHES[kind]] = false;
    }
  }

  /** Shows an output over the images and below labels; in place of the last one, which it looks like. */
  #show(model: ViewerModel, image: Volume, output: NetworkOutput, texts: Texts): void {
    const { kind } = output;
    const before = this.#layers.get(kind);
    const shown = before && model.layers.includes(before) ? before : undefined;
    const labels = model.layers.findIndex((layer) => layer.kind === 'labels');
    const above = labels < 0 ? model.layers.length : labels;
    const index = shown ? model.layers.indexOf(shown) : above;
    const settings = shown ?? { ...LOOKS[kind], name: texts.outputs[kind] };
    let id: string = kind;
    if (shown) {
      model.remove(shown.id);
      id = shown.id;
    }
    for (let k = 2; model.get(id); k++) id = `${kind}-${k}`;
    const layer: ImageLayer = {
      ...imageLayer(id, outputVolume(image, output, texts.outputs[kind]), settings),
      derived: true,
    };
    this.#layers.set(kind, layer);
    model.add(layer, { index });
  }

  /**
   * Brings the layers in line with what is wanted.
   * @param anew also those there are, of an earlier run
   * @throws CytoError as {@link RunClient.output}
   */
  async bring(anew: boolean, texts: Texts): Promise<void> {
    const model = this.#host.viewer?.model;
    const { image } = this.#result;
    if (!model) return;
    // Asked again when samples have come.
    const wanted = (kind: OutputKind) =>
      this.#result.image === image && this.#host.viewer?.model === model && this.#host[WISHES[kind]];
    await Promise.all(
      OUTPUT_KINDS.map(async (kind) => {
        if (!image || !this.#client.hasOutput || !wanted(kind)) {
          this.#hide(model, kind);
          return;
        }
        if (!anew && this.#layers.has(kind)) return;
        const output = await this.#client.output(kind);
        if (wanted(kind)) this.#show(model, image, output, texts);
      }),
    );
  }

  /** The boxes that show and hide the layers. */
  choices(texts: Texts): TemplateResult {
    return html`<div class="outputs" role="group" aria-label=${texts.showOutputs}><span>${texts.showOutputs}</span>
      ${OUTPUT_KINDS.map(
        (kind) => html`<label><input type="checkbox" id="show-${kind}" .checked=${this.#host[WISHES[kind]]}
          @change=${(event: Event) => {
            this.#host[WISHES[kind]] = (event.target as HTMLInputElement).checked;
          }} />${texts.outputs[kind]}</label>`,
      )}</div>`;
  }

  #hide(model: ViewerModel, kind: OutputKind): void {
    const layer = this.#layers.get(kind);
    this.#layers.delete(kind);
    if (layer && model.layers.includes(layer)) model.remove(layer.id);
  }
}

/** The output on the grid of the image; outside of what was segmented there is nothing. */
function outputVolume(image: Volume, { kind, data, shape, origin }: NetworkOutput, name: string): Volume {
  const [, , nz, ny, nx] = image.shape;
  const depth = kind === 'flows' ? 3 : 1;
  const [z0, y0, x0] = origin ?? [0, 0, 0];
  const whole = shape.join() === [nz, ny, nx].join();
  const placed = whole ? data : allocate(kind === 'flows' ? 'uint8' : 'float32', depth * nz * ny * nx);
  if (!whole) {
    if (kind === 'cellprob') placed.fill(Number.NaN);
    for (let c = 0, from = 0; c < depth; c++) {
      for (let z = 0; z < shape[0]; z++) {
        for (let y = 0; y < shape[1]; y++, from += shape[2]) {
          const to = ((c * nz + z0 + z) * ny + y0 + y) * nx + x0;
          placed.set(data.subarray(from, from + shape[2]) as never, to);
        }
      }
    }
  }
  const { calibration } = image;
  return createVolume({ data: placed, shape: [depth, nz, ny, nx], name, calibration, rgb: kind === 'flows' });
}
