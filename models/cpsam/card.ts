import { stringify } from 'yaml';
import type { Vit } from './network/vit.ts';
import type { Precision } from './network/weights.ts';
import { OPSET } from './onnx/encode.ts';

/** A file of the folder, written. */
export interface WrittenFile {
  source: string;
  size: number;
  sha256: string;
}

export interface CardFacts {
  vit: Pick<Vit, 'kind' | 'tile' | 'largestBuffer'>;
  /** Name of the checkpoint. */
  checkpoint: string;
  precision: Precision;
  graph: WrittenFile;
  weights: WrittenFile;
  testInput: WrittenFile;
  testOutput: WrittenFile;
}

/** What to know before using weights of this family. */
export function noticeOf({ kind }: Pick<Vit, 'kind'>): string {
  const dino = kind === 'Cellpose-DINO' ? ' The DINOv3 licence of Meta applies to the encoder as well.' : '';
  return `For research only: the weights were trained on images under non-commercial licences (CC-BY-NC).${dino} Cite Pachitariu, Rariden & Stringer (2025), "Cellpose-SAM".`;
}

/** Licence of the code and the published weights, in words, for no identifier covers both. */
export const LICENCE = 'BSD-3-Clause as published; trained on CC-BY-NC data';

/** Name of a model: of the family, and of the file it comes from. */
export const titleOf = (vit: Pick<Vit, 'kind'>, checkpoint: string): string =>
  `${vit.kind} (${idOf(checkpoint)})`;

/** By which a run names the model: the file name without its ending. */
export function idOf(checkpoint: string): string {
  const id = checkpoint
    .replace(/\.(?:pth|pt|ckpt|bin)$/i, '')
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '');
  return id || 'cellpose-sam';
}

/** What half floats may differ between machines, against what single floats may (spec §14: flows 0.02 RMS, 0.05). */
const TOLERANCE = {
  float32: { absolute_tolerance: 1e-3, relative_tolerance: 1e-3, mismatched_elements_per_million: 100 },
  float16: { absolute_tolerance: 0.1, relative_tolerance: 0.05, mismatched_elements_per_million: 10_000 },
};

/** One line on a converted model. */
export const descriptionOf = ({
  kind,
  checkpoint,
  precision,
}: { kind: Vit['kind'] } & Pick<CardFacts, 'checkpoint' | 'precision'>): string =>
  `${kind}, converted from the PyTorch checkpoint "${checkpoint}" to ONNX with ${precision === 'float16' ? 'half' : 'single'} floats.`;

/** The BioImage.IO description of a converted model. */
export function cardText(facts: CardFacts): string {
  const { vit, checkpoint, precision, graph, weights, testInput, testOutput } = facts;
  const { kind, tile, largestBuffer } = vit;
  const tensor = (id: string, names: string[], test: WrittenFile) => ({
    id,
    axes: [
      { type: 'batch' },
      { type: 'channel', channel_names: names },
      { id: 'y', type: 'space', size: tile },
      { id: 'x', type: 'space', size: tile },
    ],
    data: { type: 'float32' },
    test_tensor: { source: test.source, sha256: test.sha256 },
  });
  return stringify({
    format_version: '0.5.3',
    type: 'model',
    name: titleOf(vit, checkpoint),
    description: descriptionOf({ kind, checkpoint, precision }),
    version: '1.0.0',
    license: LICENCE,
    authors: [{ name: 'Marius Pachitariu' }, { name: 'Michael Rariden' }, { name: 'Carsen Stringer' }],
    cite: [
      {
        text: 'Pachitariu, Rariden & Stringer (2025), Cellpose-SAM: superhuman generalization for cellular segmentation',
        doi: '10.1101/2025.04.28.651001',
      },
    ],
    inputs: [tensor('image', ['c0', 'c1', 'c2'], testInput)],
    outputs: [tensor('flows', ['dy', 'dx', 'cellprob'], testOutput)],
    weights: {
      onnx: {
        source: graph.source,
        sha256: graph.sha256,
        opset_version: OPSET,
        external_data: { source: weights.source, sha256: weights.sha256 },
      },
    },
    config: {
      bioimageio: { reproducibility_tolerance: [TOLERANCE[precision]] },
      cytopane: {
        id: idOf(checkpoint),
        size: graph.size,
        external_data_size: weights.size,
        tile,
        notice: noticeOf(vit),
        diameter: { mean: 30, min: 7.5, max: 120 },
        gpu: { shader_f16: precision === 'float16', largest_buffer: largestBuffer },
      },
    },
  });
}
