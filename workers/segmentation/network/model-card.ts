import { parse } from 'yaml';
import { CytoError } from '../../../core/errors.ts';

/** How closely a backend must reproduce a model's test output. */
export interface Tolerance {
  absolute: number;
  relative: number;
  /** Share of elements that may lie outside, per million. */
  mismatchedPerMillion: number;
}

/** What the page needs to know of a model; read from its BioImage.IO `rdf.yaml`. */
export interface ModelCard {
  id: string;
  name: string;
  description: string;
  version: string;
  license: string;
  /** Weights file beside the card, its size in bytes and its hash. */
  weights: { source: string; sha256: string; size: number };
  /** Names of the graph's input and output. */
  input: string;
  output: string;
  /** Tile side in pixels. */
  tile: number;
  /** Cell diameters in pixels the model was made for. */
  diameter: { mean: number; min: number; max: number };
  /** NumPy files with an input and the output it must give. */
  test: { input: string; output: string };
  tolerance: Tolerance;
}

type Json = Record<string, unknown>;

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A file name beside the card: no folders, no address. */
const FILE_NAME = /^[\w][\w.-]*$/;

/**
 * Reads a model card.
 * @param text the `rdf.yaml`
 * @throws CytoError `model` naming the entry that is missing or wrong
 */
export function parseModelCard(text: string): ModelCard {
  let root: unknown;
  try {
    root = parse(text, { maxAliasCount: 20 });
  } catch (cause) {
    throw new CytoError('model', 'The model description (rdf.yaml) is not valid YAML.', { cause });
  }
  const fail = (entry: string): never => {
    throw new CytoError('model', `The model description (rdf.yaml) has no usable entry "${entry}".`);
  };
  const at = (...path: Array<string | number>): unknown =>
    path.reduce<unknown>((value, key) => {
      if (Array.isArray(value)) return value[key as number];
      return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    }, root);
  const string = (...path: Array<string | number>): string => {
    const value = at(...path);
    return typeof value === 'string' && value !== '' ? value : fail(path.join('.'));
  };
  const file = (...path: Array<string | number>): string => {
    const value = string(...path);
    return FILE_NAME.test(value) ? value : fail(path.join('.'));
  };
  const positive = (...path: Array<string | number>): number => {
    const value = at(...path);
    return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : fail(path.join('.'));
  };
  const optional = (fallback: number, ...path: Array<string | number>): number => {
    const value = at(...path);
    return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : fallback;
  };
  const sha256 = string('weights', 'onnx', 'sha256').toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(sha256)) fail('weights.onnx.sha256');
  const quick = at('config', 'cytopane', 'quick_test') !== undefined;
  const tolerance = ['config', 'bioimageio', 'reproducibility_tolerance', 0] as const;
  return {
    id: string('config', 'cytopane', 'id'),
    name: string('name'),
    description: string('description'),
    version: String(at('version') ?? '0'),
    license: string('license'),
    weights: {
      source: file('weights', 'onnx', 'source'),
      sha256,
      size: positive('config', 'cytopane', 'size'),
    },
    input: string('inputs', 0, 'id'),
    output: string('outputs', 0, 'id'),
    tile: positive('config', 'cytopane', 'tile'),
    diameter: {
      mean: positive('config', 'cytopane', 'diameter', 'mean'),
      min: positive('config', 'cytopane', 'diameter', 'min'),
      max: positive('config', 'cytopane', 'diameter', 'max'),
    },
    test: quick
      ? {
          input: file('config', 'cytopane', 'quick_test', 'input'),
          output: file('config', 'cytopane', 'quick_test', 'output'),
        }
      : {
          input: file('inputs', 0, 'test_tensor', 'source'),
          output: file('outputs', 0, 'test_tensor', 'source'),
        },
    tolerance: {
      absolute: optional(1e-3, ...tolerance, 'absolute_tolerance'),
      relative: optional(1e-3, ...tolerance, 'relative_tolerance'),
      mismatchedPerMillion: optional(100, ...tolerance, 'mismatched_elements_per_million'),
    },
  };
}
