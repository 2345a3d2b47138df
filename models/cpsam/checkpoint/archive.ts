import { configure, Reader, ZipReader } from '@zip.js/zip.js';
import { asCytoError, CytoError, isAbort } from '../../../core/errors.ts';
import { Sha256 } from '../../../core/sha256.ts';
import type { ByteSource } from './byte-source.ts';

configure({ useWebWorkers: false });

/** First bytes of a zip archive: a local file header. */
const ZIP_MAGIC = 0x04034b50;
/** A local header has this length before name and extra field, whose lengths stand at 26 and 28. */
const LOCAL_HEADER = 30;
/** PyTorch fills the extra field so that numbers begin at a multiple of 64; more is read again. */
const USUAL_HEADER = 256;

/** A file in the archive, stored as it is. */
interface Member {
  offset: number;
  size: number;
}

/** The archive of a PyTorch checkpoint. */
export interface Archive {
  /** Sizes by name, without the archive's folder: `data.pkl`, `data/0`, … */
  readonly members: ReadonlyMap<string, { size: number }>;
  /** SHA-256 of its directory, which holds the size and CRC-32 of every member: another content gives another one. */
  readonly fingerprint: string;
  /** Bytes of a member, or a part of them. @throws CytoError `corrupt-file`, `network`, `aborted` */
  read(
    name: string,
    signal?: AbortSignal,
    part?: { start: number; end: number },
  ): Promise<Uint8Array<ArrayBuffer>>;
}

/** Lets the zip library read from any source; keeps the error that ended a read. */
class SourceReader extends Reader<ByteSource> {
  readonly #source: ByteSource;
  readonly #signal: AbortSignal | undefined;
  failure: unknown;

  constructor(source: ByteSource, signal?: AbortSignal) {
    super(source);
    this.#source = source;
    this.#signal = signal;
    this.size = source.size;
  }

  override async readUint8Array(start: number, length: number): Promise<Uint8Array> {
    try {
      return await this.#source.read(start, Math.min(start + length, this.size), this.#signal);
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }
}

/** Whether a file begins like a zip archive, which PyTorch's checkpoints are since version 1.6. */
export async function isArchive(source: ByteSource, signal?: AbortSignal): Promise<boolean> {
  if (source.size < 4) return false;
  const head = await source.read(0, 4, signal);
  return new DataView(head.buffer).getUint32(0, true) === ZIP_MAGIC;
}

/**
 * Opens the archive of a checkpoint; only its directory is read.
 * @throws CytoError `unsupported` for other files and packed archives, `corrupt-file`, `network`, `aborted`
 */
export async function openArchive(source: ByteSource, signal?: AbortSignal): Promise<Archive> {
  const { name } = source;
  if (!(await isArchive(source, signal))) {
    throw new CytoError(
      'unsupported',
      `"${name}" is not a checkpoint of PyTorch 1.6 or later. If it is an older one, load it in Python and save it again with torch.save.`,
    );
  }
  const { members, fingerprint } = await directory(source, signal);
  if (!members.has('data.pkl')) {
    throw new CytoError(
      'unsupported',
      `"${name}" is a zip archive, but not a PyTorch checkpoint: it has no data.pkl. A model folder or its zip package is added as it is.`,
    );
  }
  const starts = new Map<string, number>();
  return {
    members,
    fingerprint,
    read: async (memberName, stop, part) => {
      const member = members.get(memberName);
      if (!member) throw damaged(name, `its part "${memberName}" is missing`);
      const { start, end } = part ?? { start: 0, end: member.size };
      if (start < 0 || end > member.size || start > end)
        throw damaged(name, `its part "${memberName}" is too short`);
      const known = starts.get(memberName);
      if (known !== undefined) return source.read(known + start, known + end, stop);
      // Header and bytes in one piece: a server is asked once for a tensor.
      const limit = Math.min(source.size, member.offset + USUAL_HEADER + end);
      const piece = await source.read(member.offset, limit, stop);
      const view = new DataView(piece.buffer);
      if (piece.length < LOCAL_HEADER || view.getUint32(0, true) !== ZIP_MAGIC)
        throw damaged(name, `its part "${memberName}" is not where the directory says`);
      const header = LOCAL_HEADER + view.getUint16(26, true) + view.getUint16(28, true);
      starts.set(memberName, member.offset + header);
      if (header + end <= piece.length) return piece.subarray(header + start, header + end);
      return source.read(member.offset + header + start, member.offset + header + end, stop);
    },
  };
}

async function directory(
  source: ByteSource,
  signal?: AbortSignal,
): Promise<{ members: Map<string, Member>; fingerprint: string }> {
  const reader = new SourceReader(source, signal);
  const members = new Map<string, Member>();
  const hash = new Sha256();
  let total = 0;
  let packed: { filename: string; uncompressedSize: number } | undefined;
  try {
    for await (const entry of new ZipReader(reader).getEntriesGenerator()) {
      hash.update(
        new TextEncoder().encode(`${entry.filename}\n${entry.uncompressedSize} ${entry.signature}\n`),
      );
      const slash = entry.filename.indexOf('/');
      if (entry.directory || slash < 0) continue;
      const name = entry.filename.slice(slash + 1);
      if (
        entry.compressionMethod !== 0 ||
        entry.encrypted ||
        entry.compressedSize !== entry.uncompressedSize
      ) {
        packed ??= entry;
        members.set(name, { offset: 0, size: 0 });
        continue;
      }
      total += entry.uncompressedSize;
      if (entry.offset + entry.uncompressedSize > source.size || total > source.size)
        throw damaged(source.name, `"${entry.filename}" reaches beyond its end`);
      members.set(name, { offset: entry.offset, size: entry.uncompressedSize });
    }
  } catch (error) {
    if (reader.failure !== undefined || isAbort(error)) throw asCytoError(reader.failure ?? error);
    if (error instanceof CytoError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw damaged(source.name, `its directory cannot be read (${reason})`, error);
  }
  if (packed && members.has('data.pkl')) {
    throw new CytoError(
      'unsupported',
      `"${source.name}" is packed ("${packed.filename}" unpacks to ${packed.uncompressedSize} bytes). PyTorch stores numbers as they are; load the checkpoint from where it was published.`,
    );
  }
  return { members, fingerprint: hash.hex() };
}

/** Says that a checkpoint is broken. */
export function damaged(name: string, reason: string, cause?: unknown): CytoError {
  return new CytoError('corrupt-file', `"${name}" is damaged or incomplete: ${reason}. Load it again.`, {
    cause,
  });
}
