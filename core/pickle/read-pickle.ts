import { CytoError } from '../errors.ts';
import { finished, named, Opaque, type PickleValue, reduced } from './pickle-values.ts';

const MARK = Symbol('mark');

/** What the classes, functions and references of a pickle stand for. Nothing of them is ever run. */
export interface PickleDialect {
  /** A class or function by its name. @throws CytoError `unsupported` if it is not known */
  named(name: string): Opaque;
  /** A call. */
  reduced(target: Opaque, args: PickleValue[]): PickleValue;
  /** A value that is complete. */
  finished(value: PickleValue): PickleValue;
  /** An object that lies outside of the pickle. Without this such references are refused. */
  persistent?(id: PickleValue): PickleValue;
}

const PLAIN: PickleDialect = { named, reduced, finished };

/**
 * Reads a pickle (protocols 2 to 5) without running anything in it.
 * @param dialect what it may name; by default plain values and NumPy arrays
 * @throws CytoError `corrupt-file` when it is damaged, `unsupported` when it names other classes or functions
 */
export function readPickle(bytes: Uint8Array, dialect = PLAIN): PickleValue {
  try {
    return new Unpickler(bytes, dialect).read();
  } catch (cause) {
    if (cause instanceof CytoError) throw cause;
    throw new CytoError('corrupt-file', 'The pickled part of the file is damaged. Save it again.', { cause });
  }
}

class Unpickler {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #dialect: PickleDialect;
  #at = 0;
  #stack: Array<PickleValue | typeof MARK> = [];
  readonly #memo = new Map<number, PickleValue>();

  constructor(bytes: Uint8Array, dialect: PickleDialect) {
    this.#bytes = bytes;
    this.#dialect = dialect;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  read(): PickleValue {
    for (;;) {
      const code = this.#byte();
      if (code === 0x2e) return this.#dialect.finished(this.#pop()); // .
      this.#run(code);
    }
  }

  #byte(): number {
    return this.#view.getUint8(this.#at++);
  }
  #uint(width: 1 | 2 | 4 | 8): number {
    const at = this.#at;
    this.#at += width;
    if (width === 1) return this.#view.getUint8(at);
    if (width === 2) return this.#view.getUint16(at, true);
    if (width === 4) return this.#view.getUint32(at, true);
    return Number(this.#view.getBigUint64(at, true));
  }
  #take(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw new RangeError('too short');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
  #text(length: number): string {
    return new TextDecoder().decode(this.#take(length));
  }
  #line(): string {
    const end = this.#bytes.indexOf(10, this.#at);
    if (end < 0) throw new RangeError('too short');
    const line = this.#text(end - this.#at);
    this.#at++;
    return line;
  }
  #long(length: number): number {
    const digits = this.#take(length);
    let value = 0n;
    for (let k = length - 1; k >= 0; k--) value = (value << 8n) | BigInt(digits[k]);
    return length === 0 ? 0 : Number(BigInt.asIntN(8 * length, value));
  }
  #push(value: PickleValue): void {
    this.#stack.push(value);
  }
  #pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined || value === MARK) throw new RangeError('empty stack');
    return value as PickleValue;
  }
  #popToMark(): PickleValue[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw new RangeError('no mark');
    const values = this.#stack.splice(mark).slice(1);
    return values as PickleValue[];
  }
  #top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined || value === MARK) throw new RangeError('empty stack');
    return value as PickleValue;
  }

  #run(code: number): void {
    switch (code) {
      case 0x80: // PROTO
        this.#at++;
        return;
      case 0x95: // FRAME
        this.#at += 8;
        return;
      case 0x28:
        this.#stack.push(MARK);
        return;
      case 0x4e:
        this.#push(null);
        return;
      case 0x88:
        this.#push(true);
        return;
      case 0x89:
        this.#push(false);
        return;
      case 0x4a:
        this.#at += 4;
        this.#push(this.#view.getInt32(this.#at - 4, true));
        return;
      case 0x4b:
        this.#push(this.#uint(1));
        return;
      case 0x4d:
        this.#push(this.#uint(2));
        return;
      case 0x8a:
        this.#push(this.#long(this.#uint(1)));
        return;
      case 0x8b:
        this.#push(this.#long(this.#uint(4)));
        return;
      case 0x47:
        this.#at += 8;
        this.#push(this.#view.getFloat64(this.#at - 8));
        return;
      case 0x8c:
        this.#push(this.#text(this.#uint(1)));
        return;
      case 0x58:
        this.#push(this.#text(this.#uint(4)));
        return;
      case 0x8d:
        this.#push(this.#text(this.#uint(8)));
        return;
      case 0x43:
        this.#push(this.#take(this.#uint(1)));
        return;
      case 0x42:
        this.#push(this.#take(this.#uint(4)));
        return;
      case 0x8e:
      case 0x96:
        this.#push(this.#take(this.#uint(8)));
        return;
      case 0x55:
        this.#push(latin1(this.#take(this.#uint(1))));
        return;
      case 0x54:
        this.#push(latin1(this.#take(this.#uint(4))));
        return;
      case 0x5d:
      case 0x29:
      case 0x8f:
        this.#push([]);
        return;
      case 0x7d:
        this.#push(new Map());
        return;
      case 0x74:
      case 0x6c:
      case 0x91:
        this.#push(this.#popToMark());
        return;
      case 0x85:
        this.#push([this.#pop()]);
        return;
      case 0x86: {
        const second = this.#pop();
        this.#push([this.#pop(), second]);
        return;
      }
      case 0x87: {
        const third = this.#pop();
        const second = this.#pop();
        this.#push([this.#pop(), second, third]);
        return;
      }
      case 0x61: {
        const value = this.#pop();
        (this.#top() as PickleValue[]).push(value);
        return;
      }
      case 0x65:
      case 0x90: {
        const values = this.#popToMark();
        const list = this.#top() as PickleValue[];
        for (const value of values) list.push(value);
        return;
      }
      case 0x73: {
        const value = this.#pop();
        const key = this.#pop();
        mapOf(this.#top()).set(this.#dialect.finished(key), value);
        return;
      }
      case 0x75: {
        const values = this.#popToMark();
        const map = mapOf(this.#top());
        for (let k = 0; k + 1 < values.length; k += 2)
          map.set(this.#dialect.finished(values[k]), values[k + 1]);
        return;
      }
      case 0x71:
        this.#memo.set(this.#uint(1), this.#top());
        return;
      case 0x72:
        this.#memo.set(this.#uint(4), this.#top());
        return;
      case 0x94:
        this.#memo.set(this.#memo.size, this.#top());
        return;
      case 0x68:
        this.#push(this.#recall(this.#uint(1)));
        return;
      case 0x6a:
        this.#push(this.#recall(this.#uint(4)));
        return;
      case 0x63: {
        const module = this.#line();
        this.#push(this.#dialect.named(`${module}.${this.#line()}`));
        return;
      }
      case 0x93: {
        const name = this.#pop();
        this.#push(this.#dialect.named(`${String(this.#pop())}.${String(name)}`));
        return;
      }
      case 0x52:
      case 0x81: {
        const args = this.#pop();
        const target = this.#pop();
        if (!Array.isArray(args) || !(target instanceof Opaque)) throw new RangeError('no call');
        this.#push(this.#dialect.reduced(target, args));
        return;
      }
      case 0x51: {
        if (!this.#dialect.persistent) break;
        this.#push(this.#dialect.persistent(this.#pop()));
        return;
      }
      case 0x62: {
        const state = this.#pop();
        const target = this.#top();
        if (target instanceof Opaque) target.args = [...target.args, state];
        return;
      }
      case 0x30:
        this.#stack.pop();
        return;
      case 0x31:
        this.#popToMark();
        return;
    }
    throw new CytoError(
      'unsupported',
      `The pickled part of the file has an instruction (0x${code.toString(16)}) that plain data does not need.`,
    );
  }

  #recall(key: number): PickleValue {
    const value = this.#memo.get(key);
    if (value === undefined) throw new RangeError('unknown memo');
    return value;
  }
}

const latin1 = (bytes: Uint8Array) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');

function mapOf(value: PickleValue): Map<PickleValue, PickleValue> {
  if (value instanceof Map) return value;
  throw new RangeError('not a dict');
}

export { Opaque, type PickleValue };
