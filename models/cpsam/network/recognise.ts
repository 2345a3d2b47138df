import { CytoError } from '../../../core/errors.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { dinoVit } from './dino.ts';
import { refuse, samVit } from './sam.ts';
import type { Vit } from './vit.ts';

/**
 * The network of a checkpoint: Cellpose-SAM (`cpsam`, `cpsam_v2`) or Cellpose-DINO (`cpdino`, `cpdino-vitb`), of any
 * depth and width, also fine-tuned.
 * @throws CytoError `model` for other networks, older ones of Cellpose included; `corrupt-file`, `network`, `aborted`
 */
export async function recognise(checkpoint: Checkpoint, signal?: AbortSignal): Promise<Vit> {
  if (!checkpoint.has('W2')) {
    throw new CytoError(
      'model',
      `"${checkpoint.name}" is not a checkpoint of Cellpose 4 (it has no weights "W2"). Models of Cellpose 1 to 3 are other networks and cannot be used here.`,
    );
  }
  const [rows, channels, height, width] = checkpoint.shape('W2');
  const readout = checkpoint.shape('out.weight')[0];
  const fits = channels >= 3 && height === width && rows === channels * height * width && rows === readout;
  const moves = fits && isIdentity(await checkpoint.read('W2', signal), rows);
  if (!moves) refuse(checkpoint, 'its weights "W2" do more than move numbers to their pixels');
  return checkpoint.has('encoder.cls_token') ? dinoVit(checkpoint) : samVit(checkpoint);
}

function isIdentity(values: Float32Array, rows: number): boolean {
  return (
    values.length === rows * rows && values.every((value, i) => value === (i % (rows + 1) === 0 ? 1 : 0))
  );
}
