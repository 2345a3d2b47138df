import { CytoError, throwIfAborted } from '../../../core/errors.ts';
import type { FileSink } from '../../../core/folder-sink.ts';
import { LARGEST_HALF, toHalf } from '../../../core/half-float.ts';
import { sampleCount } from '../../../core/volume.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { StageBuilder } from '../onnx/graph.ts';

/** Number format in which the large matrices are stored and multiplied. */
export type Precision = 'float16' | 'float32';

/** Tensors begin at multiples of this in the file, which suits every number format. */
const ALIGNMENT = 64;

/**
 * Writes the weights of a network one after the other into a file, after what is there. Of the weights only those of the stage under way are
 * in memory.
 */
export class WeightFile {
  readonly precision: Precision;
  readonly #checkpoint: Checkpoint;
  readonly #sink: FileSink;
  readonly #signal: AbortSignal | undefined;
  #stageStart: number;
  #stage: Uint8Array<ArrayBuffer>[] = [];

  constructor(checkpoint: Checkpoint, sink: FileSink, precision: Precision, signal?: AbortSignal) {
    this.#checkpoint = checkpoint;
    this.#sink = sink;
    this.#stageStart = sink.size;
    this.precision = precision;
    this.#signal = signal;
  }

  has(name: string): boolean {
    return this.#checkpoint.has(name);
  }

  /** @throws CytoError `model` if there is no such tensor */
  shape(name: string): readonly number[] {
    return this.#checkpoint.shape(name);
  }

  /** The numbers of a tensor, whose shape must be this one. @throws CytoError `model`, `aborted`, `network` */
  async read(name: string, ...dims: number[]): Promise<Float32Array<ArrayBuffer>> {
    throwIfAborted(this.#signal);
    const shape = this.#checkpoint.shape(name);
    if (shape.length !== dims.length || shape.some((length, axis) => length !== dims[axis])) {
      throw new CytoError(
        'model',
        `The weights "${name}" of "${this.#checkpoint.name}" are ${shape.join('×')}, but this network needs ${dims.join('×')}.`,
      );
    }
    return this.#checkpoint.read(name, this.#signal);
  }

  /** Writes numbers as a constant of a stage. @returns its name */
  async write(
    stage: StageBuilder,
    name: string,
    values: Float32Array<ArrayBuffer>,
    dims: readonly number[],
    type: Precision = 'float32',
  ): Promise<string> {
    if (values.length !== sampleCount(dims)) throw new RangeError(`${name}: ${values.length} numbers`);
    if (type === 'float16') this.#needRange(name, values);
    const numbers = type === 'float16' ? toHalf(values) : values;
    const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    stage.external.push({ name, type, dims, offset: this.#sink.size, length: bytes.length });
    await this.#append(bytes);
    await this.#append(new Uint8Array((ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT));
    return name;
  }

  /** A tensor as it is, in float32. */
  async copy(stage: StageBuilder, name: string, ...dims: number[]): Promise<string> {
    return this.write(stage, name, await this.read(name, ...dims), dims);
  }

  /** Bytes of the stage under way and where they begin; the next stage begins after them. */
  takeStage(): { start: number; bytes: Uint8Array<ArrayBuffer> } {
    const start = this.#stageStart;
    const bytes = new Uint8Array(this.#sink.size - start);
    let at = 0;
    for (const part of this.#stage) {
      bytes.set(part, at);
      at += part.length;
    }
    this.#stage = [];
    this.#stageStart = this.#sink.size;
    return { start, bytes };
  }

  async #append(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (bytes.length === 0) return;
    await this.#sink.write(bytes);
    this.#stage.push(bytes);
  }

  #needRange(name: string, values: Float32Array): void {
    for (const value of values) {
      if (Math.abs(value) <= LARGEST_HALF) continue;
      throw new CytoError(
        'model',
        `The weights "${name}" of "${this.#checkpoint.name}" hold ${value}, which half floats cannot hold. Convert with full precision: npx cytopane convert FILE FOLDER --fp32.`,
      );
    }
  }
}

/** Rows and columns of a matrix exchanged: PyTorch stores [out, in], ONNX multiplies by [in, out]. */
export function transposed(
  values: Float32Array,
  rows: number,
  columns: number,
  factor = 1,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      out[column * rows + row] = values[row * columns + column] * factor;
  }
  return out;
}
