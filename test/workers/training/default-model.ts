import { readFileSync } from 'node:fs';
import { type NpyArray, parseNpy } from '../../../core/npy.ts';
import { parseModelCard } from '../../../workers/segmentation/network/model-card.ts';
import { readOnnx } from '../../../workers/training/onnx/onnx-model.ts';

const folder = new URL('../../../models/default/', import.meta.url);
const read = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)));

/** The default model as it is trained from: card, network, and crops that it knows, uint8 [n, 3, y, x]. */
export const card = parseModelCard(new TextDecoder().decode(read('rdf.yaml')));
export const model = readOnnx(read('model.onnx'));
export const crops = parseNpy(read('rehearsal.npy'));

/** The first of its crops. */
export function firstCrops(count: number): NpyArray {
  const [, ...shape] = crops.shape;
  const size = shape.reduce((product, length) => product * length, 1);
  return { data: crops.data.slice(0, count * size), shape: [count, ...shape] };
}
