import { diffuseLabels, type LabelHeat, unitFlowAt } from './flows-from-labels.ts';
import { checkGrid, type GridShape } from './shape.ts';

/**
 * How badly the network's flows disagree with those of an ideal cell of the same outline (spec §6.2): per label the
 * mean over its pixels of the squared difference between the unit flow of {@link flowsFromLabels} and dP / 5.
 * 0 is perfect, about 4 is opposite.
 *
 * @param labels Uint32 [...shape], 1…N
 * @param dP Float32 [ndim, ...shape], network scale
 * @param diffused what `diffuseLabels` gives for the labels, if it is known
 * @returns Float64 [N + 1], index = label; entry 0 is unused; NaN for absent labels and where a flow is not finite
 * @throws CytoError `bad-input` for lengths that disagree or ids that are too large; `too-large` above 2^31 − 1 pixels
 */
export function flowErrors(
  labels: Uint32Array,
  dP: Float32Array,
  shape: GridShape,
  diffused?: LabelHeat,
): Float64Array {
  const ndim = shape.length;
  const count = checkGrid(shape, { labels: [labels, 1], dP: [dP, ndim] });
  const { heat, boxes } = diffused ?? diffuseLabels(labels, shape);
  const errors = new Float64Array(boxes.length / 6);
  const pixels = new Float64Array(errors.length);
  const flow = new Float64Array(ndim);
  for (let i = 0; i < count; i++) {
    const label = labels[i];
    if (label === 0) continue;
    unitFlowAt(heat, i, shape, flow);
    let sum = 0;
    for (let axis = 0; axis < ndim; axis++) {
      const difference = flow[axis] - dP[axis * count + i] / 5;
      sum += difference * difference;
    }
    errors[label] += sum;
    pixels[label]++;
  }
  for (let label = 0; label < errors.length; label++) errors[label] /= pixels[label];
  return errors;
}
