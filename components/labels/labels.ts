import { property } from 'lit/decorators.js';
import { LabelVolume } from '../../core/label-volume.ts';
import { type LabelsLayer, type LabelsLayerSettings, labelsLayer } from '../../core/layer.ts';
import type { Calibration, Shape3, VolumeData } from '../../core/volume.ts';
import { LayerElement, type LayerHost, stated } from '../viewer/layer-element.ts';
import { type LabelSamples, labelVolumeOf } from './label-samples.ts';

/**
 * Instance labels inside a `<cyto-viewer>`, drawn over the images. Without `src` and `data` it starts empty, with
 * the size of the first image.
 * Attributes are initial and host-set values; what the user changes lives in the viewer's model.
 *
 * @tag cyto-labels
 * @attr {boolean} hidden - Whether the labels are hidden.
 * @fires load - The labels are in the viewer; `detail.layerIds`.
 * @fires error - They could not be loaded; `detail.kind`, `detail.message`.
 */
export class CytoLabels extends LayerElement {
  /** Labels instead of a file: a LabelVolume, or `{data, shape, calibration?}` with a typed array and a shape [y, x] or [z, y, x]. */
  @property({ attribute: false }) accessor data: LabelVolume | LabelSamples | undefined;
  /** Whether the user may edit the labels. */
  @property({ type: Boolean }) accessor editable = false;
  /** Contour width in screen pixels; 0 fills the cells. */
  @property({ type: Number }) accessor contour: number | undefined;
  /** Opacity of the interior when contours are drawn, 0…1. */
  @property({ type: Number, attribute: 'fill-opacity' }) accessor fillOpacity: number | undefined;
  /** Id of the highlighted label, 0 for none. */
  @property({ type: Number }) accessor selected: number | undefined;
  /** Whether labels that are not highlighted are hidden, as long as one is. */
  @property({ type: Boolean, attribute: 'only-selected' }) accessor onlySelected = false;
  /** Changes all label colours at once. */
  @property({ type: Number }) accessor seed: number | undefined;
  /** What colours stand for: id, or how sure the network was of each label, flow_error or cellprob. */
  @property({ attribute: 'color-by' }) accessor colorBy: LabelsLayerSettings['colorBy'] | undefined;

  protected override readonly contentProperties = ['src', 'data'];

  protected override hasContent(): boolean {
    return true;
  }

  protected override settings(): Partial<LabelsLayerSettings> {
    return stated<LabelsLayerSettings>({
      name: this.name,
      visible: this.hasAttribute('hidden') ? false : undefined,
      opacity: this.opacity,
      contour: this.contour,
      fillOpacity: this.fillOpacity,
      seed: this.seed,
      colorBy: this.colorBy,
      selected: this.selected,
      onlySelected: this.onlySelected || undefined,
      editable: this.editable,
    });
  }

  protected override async makeLayers(
    host: LayerHost,
    id: string,
    signal: AbortSignal,
  ): Promise<LabelsLayer[] | undefined> {
    let labels: LabelVolume | undefined;
    if (this.data !== undefined) {
      labels = this.data instanceof LabelVolume ? this.data : labelVolumeOf(this.data, sceneOf(host));
    } else if (this.src) {
      const volume = await host.readVolume(this.src, { signal });
      const [, , z, y, x] = volume.shape;
      const samples = { data: volume.data.subarray(0, z * y * x), shape: [z, y, x] };
      labels = labelVolumeOf(
        volume.calibration.calibrated ? { ...samples, calibration: volume.calibration } : samples,
        sceneOf(host),
      );
    } else {
      const scene = sceneOf(host);
      if (!scene) return undefined;
      labels = new LabelVolume(scene.shape, scene.calibration);
    }
    return [labelsLayer(id, labels, this.settings())];
  }
}

function sceneOf(host: LayerHost): { shape: Shape3; calibration: Calibration } | undefined {
  const image = host.model.images.at(0)?.volume;
  return image && { shape: [image.shape[2], image.shape[3], image.shape[4]], calibration: image.calibration };
}

export type { LabelSamples, VolumeData };

declare global {
  interface HTMLElementTagNameMap {
    'cyto-labels': CytoLabels;
  }
}
