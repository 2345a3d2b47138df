import type { TaskOptions } from '../../core/progress.ts';
import { blobSource } from '../../models/cpsam/checkpoint/byte-source.ts';
import { openCheckpoint } from '../../models/cpsam/checkpoint/checkpoint.ts';
import { writeCheckpoint } from '../../models/cpsam/checkpoint/write-checkpoint.ts';
import { headTensors } from '../../models/cpsam/network/head-tensors.ts';
import type { ModelWeights } from '../segmentation/network/model-files.ts';
import { partAtLastBlock } from './frozen-encoder.ts';
import { numbersOf } from './graph/trainable-weights.ts';
import { FLOAT, readOnnx } from './onnx/onnx-model.ts';

/**
 * The checkpoint that a model was converted from with neck and readout of the trained one.
 * @throws CytoError `unsupported`, `model` for another network, `corrupt-file`, `aborted`
 */
export async function trainedCheckpoint(
  { graph, externalData: [external] }: ModelWeights,
  original: File,
  options: TaskOptions = {},
): Promise<Blob> {
  const model = readOnnx(new Uint8Array(await graph.arrayBuffer()));
  const { head } = await partAtLastBlock(model, external?.data ?? new Blob());
  const checkpoint = await openCheckpoint(blobSource(original, original.name), options.signal);
  const weights = new Map(
    [...head.constants]
      .filter(([, { type }]) => type === FLOAT)
      .map(([name, tensor]) => [name, numbersOf(tensor)] as const),
  );
  const parts: Blob[] = [];
  await writeCheckpoint(
    checkpoint,
    await headTensors(checkpoint, weights),
    (bytes) => {
      // Browsers keep large blobs on disk.
      parts.push(new Blob([bytes as Uint8Array<ArrayBuffer>]));
    },
    options,
  );
  return new Blob(parts, { type: 'application/octet-stream' });
}
