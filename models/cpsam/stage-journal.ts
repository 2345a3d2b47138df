import type { FolderSink } from '../../core/folder-sink.ts';
import { Sha256 } from '../../core/sha256.ts';
import type { Stage } from './onnx/graph.ts';

/** What is done of a conversion. */
export interface Done {
  /** Stages whose weights are written. */
  stages: readonly Stage[];
  /** Bytes of their weights. */
  size: number;
  /** What the last of them gave for the test image. */
  state: Float32Array;
}

/** Written in turn, so that an interruption while one is written leaves the other. */
const FILES = ['conversion-0', 'conversion-1'] as const;
const HASH_LENGTH = 64;
const LINE_END = 10;

/**
 * Notes in the folder being written what is done of a conversion, so that an interrupted one goes on there.
 *
 * Each file: SHA-256 of the rest in hexadecimal, a line of JSON, the state as float32 of the machine.
 */
export class StageJournal {
  readonly #folder: FolderSink;
  readonly #fingerprint: string;

  /** @param fingerprint tells this conversion from any other; notes of another one are not read */
  constructor(folder: FolderSink, fingerprint: string) {
    this.#folder = folder;
    this.#fingerprint = fingerprint;
  }

  /** What an earlier attempt has done, or undefined. */
  async read(): Promise<Done | undefined> {
    const found = await Promise.all(FILES.map((name) => this.#readFile(name)));
    return found
      .filter((done) => done !== undefined)
      .sort((a, b) => b.size - a.size)
      .at(0);
  }

  async write({ stages, size, state }: Done): Promise<void> {
    const note = `${JSON.stringify({ fingerprint: this.#fingerprint, size, stages })}\n`;
    const line = new TextEncoder().encode(note);
    const numbers = new Uint8Array(state.buffer, state.byteOffset, state.byteLength);
    const file = await this.#folder.file(FILES[stages.length % 2]);
    try {
      await file.write(new TextEncoder().encode(hashOf(line, numbers)));
      await file.write(line);
      await file.write(numbers);
    } finally {
      await file.close();
    }
  }

  async remove(): Promise<void> {
    for (const name of FILES) await this.#folder.remove(name);
  }

  async #readFile(name: string): Promise<Done | undefined> {
    const bytes = await this.#folder.read(name);
    if (!bytes) return undefined;
    const end = bytes.indexOf(LINE_END, HASH_LENGTH) + 1;
    const line = bytes.subarray(HASH_LENGTH, end);
    const numbers = bytes.slice(end);
    const text = new TextDecoder();
    if (end === 0 || text.decode(bytes.subarray(0, HASH_LENGTH)) !== hashOf(line, numbers)) return undefined;
    const { fingerprint, size, stages } = JSON.parse(text.decode(line)) as Omit<Done, 'state'> & {
      fingerprint: string;
    };
    return fingerprint === this.#fingerprint
      ? { size, stages, state: new Float32Array(numbers.buffer) }
      : undefined;
  }
}

function hashOf(...parts: Uint8Array[]): string {
  const hash = new Sha256();
  for (const part of parts) hash.update(part);
  return hash.hex();
}
