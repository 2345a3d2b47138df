import { parse } from 'yaml';
import { CytoError } from '../../../core/errors.ts';
import type { ModelFile } from './model-card.ts';

type Path = ReadonlyArray<string | number>;
type Json = Record<string, unknown>;

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A file name beside the card: no folders, no address. */
const FILE_NAME = /^[\w][\w.-]*$/;

/** One tensor of a description. */
export interface RdfTensor {
  name: string;
  /** Number of channels, if stated. */
  channels?: number;
  /** Side in pixels, if it is fixed. */
  side?: number;
  /** Both sides are multiples of this, if several are allowed. */
  step?: number;
  /** Names of the processing steps that change its numbers. */
  processing: string[];
  /** Its test tensor. @throws CytoError `model` if there is none */
  test(): ModelFile;
}

/** Processing that leaves float32 numbers as they are. */
const HARMLESS = ['ensure_dtype'];

/** Reads entries of a BioImage.IO resource description; format versions 0.4 and 0.5. */
export class RdfReader {
  readonly #root: Json;

  /** @throws CytoError `model` if the text is not YAML */
  constructor(text: string) {
    let root: unknown;
    try {
      root = parse(text, { maxAliasCount: 20 });
    } catch (cause) {
      throw new CytoError('model', 'The model description (rdf.yaml) is not valid YAML.', { cause });
    }
    if (!isRecord(root)) throw new CytoError('model', 'The model description (rdf.yaml) has no entries.');
    this.#root = root;
  }

  /** The entry, or undefined. */
  at(path: Path): unknown {
    return path.reduce<unknown>((value, key) => {
      if (Array.isArray(value)) return value[key as number];
      return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    }, this.#root);
  }

  has(path: Path): boolean {
    const value = this.at(path);
    return value !== undefined && value !== null;
  }

  keys(path: Path): string[] {
    const value = this.at(path);
    return isRecord(value) ? Object.keys(value) : [];
  }

  fail(path: Path): never {
    throw new CytoError('model', `The model description (rdf.yaml) has no usable entry "${path.join('.')}".`);
  }

  string(path: Path): string {
    const value = this.at(path);
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : this.fail(path);
  }

  /** A file name beside the card. */
  file(path: Path): string {
    const value = this.string(path);
    return FILE_NAME.test(value) ? value : this.fail(path);
  }

  positive(path: Path): number {
    const value = this.at(path);
    return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : this.fail(path);
  }

  optional(fallback: number, path: Path): number {
    const value = this.at(path);
    return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : fallback;
  }

  size(path: Path): { size?: number } {
    return this.has(path) ? { size: this.positive(path) } : {};
  }

  /** A file description with its hash. */
  hashedFile(path: Path): ModelFile & { sha256: string } {
    const sha256 = this.string([...path, 'sha256']).toLowerCase();
    if (!/^[0-9a-f]{64}$/.test(sha256)) this.fail([...path, 'sha256']);
    return { source: this.file([...path, 'source']), sha256 };
  }

  /** The name under which the model is known: its own entry, else its BioImage.IO id, else its name. */
  id(): string {
    const own = ['config', 'cytopane', 'id'];
    if (this.has(own)) {
      const id = this.string(own);
      return /^[\w][\w.-]*$/.test(id) ? id : this.fail(own);
    }
    const text = this.has(['id']) ? this.string(['id']) : this.string(['name']);
    return (
      text
        .toLowerCase()
        .replace(/[^\w.-]+/g, '-')
        .replace(/^[-.]+|-+$/g, '') || this.fail(['id'])
    );
  }

  /**
   * The only tensor of a side of the network.
   * @throws CytoError `model` if there are several, or its axes are not batch, channel, y, x
   */
  tensor(side: 'inputs' | 'outputs'): RdfTensor {
    const list = this.at([side]);
    if (!Array.isArray(list) || list.length !== 1) this.fail([side]);
    const at = (...path: Array<string | number>) => [side, 0, ...path];
    const old = typeof this.at(at('axes')) === 'string';
    const axes = old
      ? [...this.string(at('axes'))]
      : ((this.at(at('axes')) as unknown[] | undefined) ?? []).map((axis) =>
          isRecord(axis) ? String(axis.id ?? axis.type) : String(axis),
        );
    const kinds = axes.map((axis) => axis[0]).join('');
    if (kinds !== 'bcyx') {
      throw new CytoError(
        'model',
        `The ${side === 'inputs' ? 'input' : 'output'} of "${this.string(['name'])}" has the axes ${axes.join(', ') || '(none)'}; needed are batch, channel, y, x.`,
      );
    }
    const type = old ? this.at(at('data_type')) : this.at(at('data', 'type'));
    if (type !== undefined && type !== 'float32') this.fail(at(...(old ? ['data_type'] : ['data', 'type'])));
    const number = (path: Path) => {
      const value = this.at(path);
      return typeof value === 'number' ? value : undefined;
    };
    const names = this.at(at('axes', 1, 'channel_names'));
    const channels = old
      ? number(at('shape', 1))
      : Array.isArray(names)
        ? names.length
        : number(at('axes', 1, 'size'));
    const length = old ? number(at('shape', 3)) : number(at('axes', 3, 'size'));
    const [stepY, step] = [2, 3].map((axis) =>
      number(at(...(old ? ['shape', 'step', axis] : ['axes', axis, 'size', 'step']))),
    );
    const steps = this.at(at(side === 'inputs' ? 'preprocessing' : 'postprocessing'));
    const processing = (Array.isArray(steps) ? steps : [])
      .map((step) => (isRecord(step) ? String(step.id ?? step.name) : String(step)))
      .filter((step) => !HARMLESS.includes(step));
    const test = (): ModelFile => {
      if (old) return { source: this.file([side === 'inputs' ? 'test_inputs' : 'test_outputs', 0]) };
      const hash = this.at(at('test_tensor', 'sha256'));
      return {
        source: this.file(at('test_tensor', 'source')),
        ...(typeof hash === 'string' ? { sha256: hash.toLowerCase() } : {}),
      };
    };
    return {
      name: this.string(at(old ? 'name' : 'id')),
      ...(channels === undefined ? {} : { channels }),
      ...(length === undefined ? {} : { side: length }),
      ...(step !== undefined && step >= 1 && step === stepY ? { step } : {}),
      processing,
      test,
    };
  }
}
