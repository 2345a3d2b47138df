import { CytoError } from '../../../core/errors.ts';
import { sampleCount } from '../../../core/volume.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { transposed } from './weights.ts';

/** Matrices of neck and readout, which the graph multiplies by from the other side. */
const MATRICES = ['encoder.neck.0.weight', 'out.weight'];

/** Rows of the readout that are classes stand before those of flows and cell probability, and stay as they are. */
const READOUT = ['out.weight', 'out.bias'];

/**
 * Neck and readout as a checkpoint has them, from the constants of a converted graph.
 * @param weights float32, by the names they have in checkpoint and graph
 * @throws CytoError `model` if they are of another network
 */
export async function headTensors(
  checkpoint: Checkpoint,
  weights: ReadonlyMap<string, Float32Array>,
): Promise<Map<string, Float32Array>> {
  const tensors = new Map<string, Float32Array>();
  for (const [name, values] of weights) {
    if (!checkpoint.has(name)) continue;
    const shape = checkpoint.shape(name);
    const rows = values.length / sampleCount(shape.slice(1));
    const fits = READOUT.includes(name) ? rows <= shape[0] : rows === shape[0];
    if (!Number.isInteger(rows) || !fits) {
      throw new CytoError(
        'model',
        `"${checkpoint.name}" is not the checkpoint of this model: its weights "${name}" are ${shape.join('×')}. Choose the file that the model was converted from.`,
      );
    }
    const own = MATRICES.includes(name) ? transposed(values, values.length / rows, rows) : values;
    if (rows === shape[0]) tensors.set(name, own);
    else {
      const whole = await checkpoint.read(name);
      whole.set(own, whole.length - own.length);
      tensors.set(name, whole);
    }
  }
  if (!tensors.has('out.weight')) {
    throw new CytoError(
      'model',
      `"${checkpoint.name}" is not the checkpoint of this model: it has no readout. Choose the file that the model was converted from.`,
    );
  }
  return tensors;
}
