import { diffuseLabels, type LabelHeat, separateFlowAt, unitFlowAt } from './flows-from-labels.ts';
import { checkGrid, type GridShape, zeros } from './shape.ts';

export interface FlowErrorOptions {
  /** What {@link diffuseLabels} or a kernel gives for the labels, if it is known. */
  diffused?: LabelHeat;
  /** Compare with flows made with `separate` of {@link flowsFromLabels}. Default false, as the reference. */
  separate?: boolean;
}

/**
 * How badly the network's flows disagree with those of an ideal cell of the same outline (spec §6.2): per label the
 * mean over its pixels of the squared difference between the unit flow of {@link flowsFromLabels} and dP / 5.
 * 0 is perfect, about 4 is opposite.
 *
 * @param labels Uint32 [...shape], 1…N
 * @param dP Float32 [ndim, ...shape], network scale
 * @returns Float64 [N + 1], index = label; entry 0 is unused; NaN for absent labels and where a flow is not finite
 * @throws CytoError `bad-input` for lengths that disagree or ids that are too large; `too-large` above 2^31 − 1 pixels
 */
export function flowErrors(
  labels: Uint32Array,
  dP: Float32Array,
  shape: GridShape,
  { diffused, separate = false }: FlowErrorOptions = {},
): Float64Array {
  const ndim = shape.length;
  checkGrid(shape, { labels: [labels, 1], dP: [dP, ndim] });
  const { heat, boxes } = diffused ?? diffuseLabels(labels, shape);
  const errors = zeros(Float64Array, boxes.length / 6);
  const pixels = zeros(Float64Array, errors.length);
  if (ndim === 2 && !separate) sumOfPlane(labels, dP, heat, shape, errors, pixels);
  else sumOfAny(labels, dP, heat, shape, separate, errors, pixels);
  for (let label = 0; label < errors.length; label++) errors[label] /= pixels[label];
  return errors;
}

/** Adds up the errors of `unitFlowAt` in a plane: written out, it is several times as fast. */
function sumOfPlane(
  labels: Uint32Array,
  dP: Float32Array,
  heat: Float64Array,
  [ny, nx]: GridShape,
  errors: Float64Array,
  pixels: Float64Array,
): void {
  const count = ny * nx;
  for (let y = 0, i = 0; y < ny; y++) {
    for (let x = 0; x < nx; x++, i++) {
      const label = labels[i];
      if (label === 0) continue;
      const gx = (x + 1 < nx ? heat[i + 1] : 0) - (x > 0 ? heat[i - 1] : 0);
      const gy = (y + 1 < ny ? heat[i + nx] : 0) - (y > 0 ? heat[i - nx] : 0);
      const length = 1e-60 + Math.sqrt(gx * gx + gy * gy);
      const dy = gy / length - dP[i] / 5;
      const dx = gx / length - dP[count + i] / 5;
      errors[label] += dy * dy + dx * dx;
      pixels[label]++;
    }
  }
}

function sumOfAny(
  labels: Uint32Array,
  dP: Float32Array,
  heat: Float64Array,
  shape: GridShape,
  separate: boolean,
  errors: Float64Array,
  pixels: Float64Array,
): void {
  const ndim = shape.length;
  const flow = new Float64Array(ndim);
  const count = labels.length;
  for (let i = 0; i < count; i++) {
    const label = labels[i];
    if (label === 0) continue;
    if (separate) separateFlowAt(heat, labels, i, shape, flow);
    else unitFlowAt(heat, i, shape, flow);
    let sum = 0;
    for (let axis = 0; axis < ndim; axis++) {
      const difference = flow[axis] - dP[axis * count + i] / 5;
      sum += difference * difference;
    }
    errors[label] += sum;
    pixels[label]++;
  }
}
