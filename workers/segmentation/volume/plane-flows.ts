import type { Shape3 } from '../../../core/volume.ts';
import type { FlowFile } from './flow-file.ts';

/**
 * How flows of planes are kept: 4 bytes a value, or 1. A byte holds the square root of the magnitude: an error of at
 * most 1 % of a flow of full length, and no error that matters near 0, where flows turn and thresholds lie.
 */
export type PlanePrecision = 'single' | 'byte';

/** Largest magnitudes that a byte can hold: flows of full length are about 5 long, logits rarely beyond 10. */
const MOST_FLOW = 8;
const MOST_LOGIT = 16;

/** Codes of either sign. */
const CODES = 127;

/** Bytes of the three components of a pixel. */
export function planeFlowBytes(precision: PlanePrecision): number {
  return precision === 'byte' ? 3 : 12;
}

type Values = Float32Array<ArrayBuffer> | Int8Array<ArrayBuffer>;

/** dY, dX and cellprob of the planes of a stack, in memory or in a file. */
export class PlaneFlows {
  readonly #area: number;
  readonly #Values: typeof Float32Array | typeof Int8Array;
  readonly #file: FlowFile | undefined;
  /** dY and dX of each plane, [z, 2, y, x]; empty if they are in the file. */
  readonly #flows: Values;
  /** [z, y, x] */
  readonly #cellprob: Values;

  constructor([nz, ny, nx]: Shape3, precision: PlanePrecision, file?: FlowFile) {
    this.#Values = precision === 'byte' ? Int8Array : Float32Array;
    this.#area = ny * nx;
    this.#file = file;
    const planes = file ? 0 : nz;
    this.#flows = new this.#Values(2 * planes * this.#area);
    this.#cellprob = new this.#Values(planes * this.#area);
  }

  /** @param values Float32 [y, x] of component 0 (dY), 1 (dX) or 2 (cellprob) of plane `z` */
  store(z: number, component: number, values: Float32Array): void {
    if (this.#file) {
      const packed = new this.#Values(this.#area);
      write(packed, 0, values, component === 2 ? MOST_LOGIT : MOST_FLOW);
      this.#file.write(new Uint8Array(packed.buffer), (3 * z + component) * packed.byteLength);
    } else if (component === 2) write(this.#cellprob, z * this.#area, values, MOST_LOGIT);
    else write(this.#flows, (2 * z + component) * this.#area, values, MOST_FLOW);
  }

  /** dY and dX of a plane, Float32 [2, y, x]; of single precision a view. */
  flows(z: number): Float32Array {
    if (this.#file) return read(this.#stored(this.#file, z, 0, 2), MOST_FLOW);
    return read(this.#flows.subarray(2 * z * this.#area, 2 * (z + 1) * this.#area), MOST_FLOW);
  }

  /** Logits of a plane, Float32 [y, x]; of single precision a view. */
  cellprob(z: number): Float32Array {
    if (this.#file) return read(this.#stored(this.#file, z, 2, 1), MOST_LOGIT);
    return read(this.#cellprob.subarray(z * this.#area, (z + 1) * this.#area), MOST_LOGIT);
  }

  /** `count` components of a plane as they are in the file: dY, dX, cellprob one after another. */
  #stored(file: FlowFile, z: number, first: number, count: number): Values {
    const values = new this.#Values(count * this.#area);
    file.read(new Uint8Array(values.buffer), (3 * z + first) * (values.byteLength / count));
    return values;
  }
}

function write(to: Float32Array | Int8Array, at: number, values: Float32Array, most: number): void {
  if (to instanceof Float32Array) {
    to.set(values, at);
    return;
  }
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    const code = Math.min(CODES, Math.round(CODES * Math.sqrt(Math.abs(value) / most)));
    to[at + i] = value < 0 ? -code : code;
  }
}

function read(values: Float32Array | Int8Array, most: number): Float32Array {
  if (values instanceof Float32Array) return values;
  const table = Float32Array.from({ length: 256 }, (_, k) => {
    const code = (k - 128) / CODES;
    return most * code * Math.abs(code);
  });
  const out = new Float32Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = table[values[i] + 128];
  return out;
}
