import type { Stage } from '../onnx/graph.ts';
import type { WeightFile } from './weights.ts';

/** A vision transformer of a checkpoint, as stages that are written and computed one after the other. */
export interface Vit {
  /** Name of the family. */
  kind: 'Cellpose-SAM' | 'Cellpose-DINO';
  /** Tile side in pixels. */
  tile: number;
  /** Bytes of the largest tensor between nodes for one tile. */
  largestBuffer: number;
  width: number;
  /** Tokens between the stages. */
  tokens: number;
  /** Embedding, blocks, head: image → tokens → … → flows. Each writes its weights. */
  stages: ReadonlyArray<(file: WeightFile) => Promise<Stage>>;
}
