import { CytoError } from '../errors.ts';
import { labelColor } from '../label-colors.ts';
import { labelStatistics, MAX_LABEL } from '../label-volume.ts';
import type { NpyArray } from '../npy.ts';
import { readPickle } from '../pickle/read-pickle.ts';
import { type ArrayToWrite, objectNpy } from '../pickle/write-pickle.ts';
import type { Shape3 } from '../volume.ts';

export interface CellposeSegOptions {
  /** File name of the image, which Cellpose's window opens with the labels. */
  fileName: string;
  /** Cell diameter in pixels, if one was given. */
  diameter?: number | undefined;
  /** Thresholds the labels were made with, if they are known. */
  flowThreshold?: number | undefined;
  cellprobThreshold?: number | undefined;
  seed?: number;
  provenance?: Record<string, string | number>;
}

/**
 * Labels as Cellpose's `_seg.npy`: masks [y, x] or [z, y, x], outlines, colours, file name. Flows are not included; the
 * Cellpose window then shows and edits the labels, and computes flows anew when it runs.
 * @param labels Uint32 of `shape` [z, y, x]
 * @throws CytoError `too-large` beyond 4 GiB
 */
export function cellposeSeg(labels: Uint32Array, shape: Shape3, options: CellposeSegOptions): Uint8Array {
  const statistics = labelStatistics(labels, shape);
  const largest = statistics.at(-1)?.id ?? 0;
  // Cellpose has one entry per label up to the largest.
  const count = statistics.length === largest ? largest : 0;
  const axes = shape[0] > 1 ? [...shape] : shape.slice(1);
  const stored = (values: Uint32Array): ArrayToWrite => ({
    data: largest < 0xffff ? Uint16Array.from(values) : values,
    shape: axes,
  });
  const colors = new Uint8Array(3 * count);
  for (let k = 0; k < count; k++) colors.set(labelColor(k + 1, options.seed ?? 0), 3 * k);
  return objectNpy({
    outlines: stored(outlinePixels(labels, shape)),
    ...(count > 0 ? { colors: { data: colors, shape: [count, 3] } } : {}),
    masks: stored(labels),
    chan_choose: [0, 0],
    filename: options.fileName,
    flows: [[], [], [], [], [[]]],
    ismanual: { data: new Uint8Array(largest), shape: [largest], bool: true },
    manual_changes: [],
    model_path: 0,
    flow_threshold: options.flowThreshold ?? null,
    cellprob_threshold: options.cellprobThreshold ?? null,
    diameter: options.diameter ?? Number.NaN,
    provenance: { ...(options.provenance ?? {}) },
  });
}

/** Labels of the pixels that have a neighbour across an edge, in their plane, with another label, or none there. */
function outlinePixels(labels: Uint32Array, [nz, ny, nx]: Shape3): Uint32Array {
  const outlines = new Uint32Array(labels.length);
  for (let z = 0, i = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++, i++) {
        const label = labels[i];
        if (label === 0) continue;
        const alone =
          x === 0 ||
          x === nx - 1 ||
          y === 0 ||
          y === ny - 1 ||
          labels[i - 1] !== label ||
          labels[i + 1] !== label ||
          labels[i - nx] !== label ||
          labels[i + nx] !== label;
        if (alone) outlines[i] = label;
      }
    }
  }
  return outlines;
}

/** What a `_seg.npy` tells. */
export interface CellposeSegmentation {
  /** Uint32 of `shape` [z, y, x]. */
  labels: Uint32Array;
  shape: Shape3;
  fileName: string | undefined;
  /** Pixels; undefined where none was stored. */
  diameter: number | undefined;
}

/** Whether bytes begin like an NPY file that holds an object. */
export function isObjectNpy(bytes: Uint8Array): boolean {
  const start = String.fromCharCode(...bytes.subarray(0, 128));
  return start.startsWith('\x93NUMPY') && /'descr':\s*'\|O/.test(start);
}

/**
 * Reads a `_seg.npy` as the Cellpose window and `masks_flows_to_seg` write it, of any version that stores `masks`.
 * @throws CytoError `corrupt-file`, `unsupported` (also for pickles that are not plain data: nothing in them is run)
 */
export function readCellposeSeg(bytes: Uint8Array): CellposeSegmentation {
  if (!isObjectNpy(bytes)) {
    throw new CytoError(
      'corrupt-file',
      'This is not a _seg.npy file of Cellpose: it does not begin like one.',
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = bytes[6] >= 2 ? 12 + view.getUint32(8, true) : 10 + view.getUint16(8, true);
  const content = readPickle(bytes.subarray(start));
  const masks = content instanceof Map ? content.get('masks') : undefined;
  if (!(content instanceof Map) || !isNumbers(masks)) {
    throw new CytoError(
      'unsupported',
      'The NPY file holds no masks of Cellpose. Save it from Cellpose again.',
    );
  }
  const { data } = masks;
  const axes = masks.shape.filter((length, axis) => length !== 1 || axis >= masks.shape.length - 2);
  if (axes.length < 2 || axes.length > 3) {
    throw new CytoError('unsupported', `Masks of ${masks.shape.length} axes are not labels of an image.`);
  }
  // Old versions count from −1 for background.
  const shift = data.some((value) => value === -1) ? 1 : 0;
  const labels = Uint32Array.from(data, (value) => value + shift);
  if (data.some((value) => !(value + shift >= 0 && value + shift <= MAX_LABEL))) {
    throw new CytoError('corrupt-file', 'The masks of the _seg.npy file are no labels.');
  }
  const name = content.get('filename');
  const diameter = content.get('diameter') ?? content.get('est_diam');
  return {
    labels,
    shape: [axes.length === 3 ? axes[0] : 1, axes[axes.length - 2], axes[axes.length - 1]],
    fileName: typeof name === 'string' ? name : undefined,
    diameter: typeof diameter === 'number' && diameter > 0 ? diameter : undefined,
  };
}

function isNumbers(value: unknown): value is NpyArray {
  return typeof value === 'object' && value !== null && 'data' in value && 'shape' in value;
}
