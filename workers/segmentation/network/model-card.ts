import { CytoError } from '../../../core/errors.ts';
import { RdfReader } from './rdf.ts';

/** How closely a backend must reproduce a model's test output. */
export interface Tolerance {
  absolute: number;
  relative: number;
  /** Share of elements that may lie outside, per million. */
  mismatchedPerMillion: number;
}

/** A file of a model folder, with what its card says of it. */
export interface ModelFile {
  /** Name beside the card. */
  source: string;
  /** Lower-case hexadecimal. */
  sha256?: string;
  /** Bytes. */
  size?: number;
}

/** What the page needs to know of a model; read from its BioImage.IO `rdf.yaml`. */
export interface ModelCard {
  id: string;
  name: string;
  description: string;
  version: string;
  /** SPDX identifier, or the licence in the authors' words. */
  license: string;
  /** What a user must know before using it, for example that the weights are for research only. */
  notice?: string;
  /** The ONNX graph. */
  weights: ModelFile & { sha256: string };
  /** Weights that lie beside the graph (ONNX external data), named as the graph names them. */
  externalData?: ModelFile & { sha256: string };
  /** Names of the graph's input and output. */
  input: string;
  output: string;
  /** Tile side in pixels. */
  tile: number;
  /** Other sides that the network takes, multiples of `step`; absent: it takes whole tiles only. */
  sides?: { step: number; largest: number };
  /**
   * Cell diameters in pixels the model was made for. With `rescale`, a plane without a given diameter whose cells look
   * smaller or larger than these limits is scaled to the mean.
   */
  diameter: { mean: number; min: number; max: number; rescale?: { below: number; above: number } };
  /** NumPy files (float32 [batch, 3, y, x]) with an input of the network and the output it must give. */
  test: { input: ModelFile; output: ModelFile };
  tolerance: Tolerance;
  /** NumPy file (uint8 [n, 3, y, x]) with crops of images the model knows, for fine-tuning to hold on to. */
  rehearsal?: ModelFile;
  /** NumPy file (float32 [n, values]) with styles of what it was trained on here, if a gate keeps what it knew. */
  styles?: ModelFile;
  /** What a GPU must offer. */
  gpu?: { shaderF16: boolean; largestBuffer?: number };
}

/** Name of the card in a model folder. */
export const CARD = 'rdf.yaml';

/** Diameters of cards that state none: the networks of this family are trained at a mean of 30 pixels. */
const USUAL_DIAMETER = { mean: 30, min: 7.5, max: 120 };

/** Tile side of cards that allow several. */
const USUAL_TILE = 256;

/** The files a model needs, without its card. */
export function filesOf(card: ModelCard): ModelFile[] {
  const { weights, externalData, test, rehearsal, styles } = card;
  return [
    weights,
    ...(externalData ? [externalData] : []),
    test.input,
    test.output,
    ...(rehearsal ? [rehearsal] : []),
    ...(styles ? [styles] : []),
  ];
}

/** Bytes of the weights, or undefined if the card does not say. */
export function weightsSize({ weights, externalData }: ModelCard): number | undefined {
  if (weights.size === undefined || (externalData && externalData.size === undefined)) return undefined;
  return weights.size + (externalData?.size ?? 0);
}

/**
 * Reads a model card: BioImage.IO model descriptions 0.4 and 0.5 with ONNX weights and the Cellpose-SAM contract
 * (float32 [batch, 3, y, x] in, the same out). `config.cytopane` adds what the format has no entry for: `id`, `size`,
 * `external_data_size`, `tile`, `largest_tile`,
 * `diameter`, `notice`, `quick_test`, `rehearsal`, `styles`, `gpu` (`shader_f16`, `largest_buffer` in bytes).
 *
 * @param text the `rdf.yaml`
 * @throws CytoError `model` naming the entry that is missing or wrong, or the part of the contract that is not kept
 */
export function parseModelCard(text: string): ModelCard {
  const rdf = new RdfReader(text);
  const own = (...path: string[]) => ['config', 'cytopane', ...path];
  const name = rdf.string(['name']);
  const refuse = (reason: string): never => {
    throw new CytoError('model', `"${name}" cannot be used here: ${reason}.`);
  };
  if (rdf.has(['type']) && rdf.string(['type']) !== 'model') refuse('its description is not of a model');
  if (!rdf.has(['weights', 'onnx'])) {
    const others = rdf.keys(['weights']).join(', ');
    refuse(
      `it has no ONNX weights${others ? ` (only ${others})` : ''}; ask its authors for an ONNX export, or convert it`,
    );
  }
  const [input, output] = [rdf.tensor('inputs'), rdf.tensor('outputs')];
  for (const [side, { channels }] of [
    ['input', input],
    ['output', output],
  ] as const) {
    if (channels !== undefined && channels !== 3)
      refuse(`its ${side} has ${channels} channels, where networks of the Cellpose-SAM contract have 3`);
  }
  const quick = rdf.has(own('quick_test'));
  if (!quick && input.processing.length > 0) {
    refuse(
      `its test image is taken before "${input.processing[0]}", so that the network cannot be checked alone; add config.cytopane.quick_test`,
    );
  }
  if (!quick && output.processing.length > 0)
    refuse(`its output is changed by "${output.processing[0]}" before it is compared`);
  const tile = rdf.has(own('tile')) ? rdf.positive(own('tile')) : (input.side ?? USUAL_TILE);
  const largest = rdf.has(own('largest_tile')) ? rdf.positive(own('largest_tile')) : tile;
  if (largest < tile) refuse(`its largest tile is ${largest} pixels, less than its tile of ${tile}`);
  const external = ['weights', 'onnx', 'external_data'];
  const tolerance = ['config', 'bioimageio', 'reproducibility_tolerance', 0] as const;
  return {
    id: rdf.id(),
    name,
    description: rdf.has(['description']) ? rdf.string(['description']) : '',
    version: rdf.has(['version']) ? String(rdf.at(['version'])) : '0',
    license: rdf.has(['license']) ? rdf.string(['license']) : '',
    ...(rdf.has(own('notice')) ? { notice: rdf.string(own('notice')) } : {}),
    weights: { ...rdf.hashedFile(['weights', 'onnx']), ...rdf.size(own('size')) },
    ...(rdf.has(external)
      ? { externalData: { ...rdf.hashedFile(external), ...rdf.size(own('external_data_size')) } }
      : {}),
    input: input.name,
    output: output.name,
    tile,
    ...(input.step === undefined ? {} : { sides: { step: input.step, largest } }),
    diameter: rdf.has(own('diameter'))
      ? {
          mean: rdf.positive(own('diameter', 'mean')),
          min: rdf.positive(own('diameter', 'min')),
          max: rdf.positive(own('diameter', 'max')),
          ...(rdf.has(own('diameter', 'rescale'))
            ? {
                rescale: {
                  below: rdf.positive(own('diameter', 'rescale', 'below')),
                  above: rdf.positive(own('diameter', 'rescale', 'above')),
                },
              }
            : {}),
        }
      : USUAL_DIAMETER,
    test: quick
      ? {
          input: { source: rdf.file(own('quick_test', 'input')) },
          output: { source: rdf.file(own('quick_test', 'output')) },
        }
      : { input: input.test(), output: output.test() },
    tolerance: {
      absolute: rdf.optional(1e-3, [...tolerance, 'absolute_tolerance']),
      relative: rdf.optional(1e-3, [...tolerance, 'relative_tolerance']),
      mismatchedPerMillion: rdf.optional(100, [...tolerance, 'mismatched_elements_per_million']),
    },
    ...(rdf.has(own('rehearsal')) ? { rehearsal: { source: rdf.file(own('rehearsal')) } } : {}),
    ...(rdf.has(own('styles')) ? { styles: { source: rdf.file(own('styles')) } } : {}),
    ...(rdf.has(own('gpu'))
      ? {
          gpu: {
            shaderF16: rdf.at(own('gpu', 'shader_f16')) === true,
            ...(rdf.has(own('gpu', 'largest_buffer'))
              ? { largestBuffer: rdf.positive(own('gpu', 'largest_buffer')) }
              : {}),
          },
        }
      : {}),
  };
}
