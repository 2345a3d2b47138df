import { CytoError } from '../errors.ts';
import type { LabelVolume } from '../label-volume.ts';
import type { Shape3 } from '../volume.ts';
import { applyChange, type LabelChange } from './label-change.ts';
import type { HistoryEvent, LabelHistory } from './label-history.ts';
import { ByteReader, ByteWriter } from './varint.ts';

/**
 * The journal of a history: a head and one record per event, appended as they happen. Every record carries its
 * length and a checksum, so that one cut off by a crash is left out and all before it count.
 *
 * head:   "CYJ1" · block(head JSON: shape, fingerprint of the labels at the start, title)
 * record: block(kind · payload) · Adler-32 of the block, 4 bytes little-endian
 */
const MAGIC = 'CYJ1';
const KINDS = ['commit', 'undo', 'redo', 'clear'] as const;

export interface JournalHead {
  /** Lengths of z, y, x. */
  shape: Shape3;
  /** {@link labelFingerprint} of the labels that the first record belongs to. */
  fingerprint: number;
  /** What was edited, for people. */
  title: string;
  /** Milliseconds since 1970 when it was begun. */
  started: number;
}

/** A number that tells label images apart; 0 for labels without any cell. One pass over the voxels. */
export function labelFingerprint({ data }: Pick<LabelVolume, 'data'>): number {
  let hash = 0;
  // FNV-1a over the places and values where the label changes: background costs a comparison only.
  let last = 0;
  for (let i = 0; i < data.length; i++) {
    const label = data[i];
    if (label === last) continue;
    hash = Math.imul((hash || 0x811c9dc5) ^ (i % 0xffff_ffff), 0x01000193);
    hash = Math.imul(hash ^ label, 0x01000193);
    last = label;
  }
  return hash >>> 0;
}

/** The bytes that a journal starts with. */
export function journalHead(head: JournalHead): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  out.raw(new TextEncoder().encode(MAGIC));
  out.text(JSON.stringify(head));
  return out.bytes();
}

/** The bytes to append for one event of a history. */
export function journalRecord({ kind, step }: HistoryEvent): Uint8Array<ArrayBuffer> {
  const body = new ByteWriter();
  body.byte(KINDS.indexOf(kind));
  if (kind === 'commit' && step) {
    const { change, name } = step;
    body.text(name);
    for (const edge of change.box) body.unsigned(edge);
    body.unsigned(change.voxels);
    body.unsigned(change.runs);
    body.block(change.bytes);
  }
  const bytes = body.bytes();
  const out = new ByteWriter();
  out.block(bytes);
  const sum = adler32(bytes);
  for (const shift of [0, 8, 16, 24]) out.byte((sum >>> shift) & 255);
  return out.bytes();
}

/**
 * The journal of a history as it stands: from the labels before its first step to now.
 * @param title what was edited, for people
 * @param started milliseconds since 1970
 */
export function journalOf(history: LabelHistory, title: string, started: number): Uint8Array<ArrayBuffer> {
  const { labels, steps, position } = history;
  const done = steps.slice(0, position);
  // The labels at the start, for a moment.
  for (const { change } of done.toReversed()) applyChange(labels.data, labels.shape, change, 'undo');
  const fingerprint = labelFingerprint(labels);
  for (const { change } of done) applyChange(labels.data, labels.shape, change, 'redo');
  const out = new ByteWriter();
  out.raw(journalHead({ shape: labels.shape, fingerprint, title, started }));
  for (const step of steps) out.raw(journalRecord({ kind: 'commit', step, source: 'restore' }));
  for (const step of steps.slice(position).toReversed()) {
    out.raw(journalRecord({ kind: 'undo', step, source: 'restore' }));
  }
  return out.bytes();
}

export type JournalRecord =
  | { kind: 'commit'; name: string; change: LabelChange }
  | { kind: 'undo' | 'redo' | 'clear' };

/**
 * Reads a journal. A damaged or unfinished end is left out.
 * @returns head, records, and `complete`: whether nothing had to be left out
 * @throws CytoError `corrupt-file` if it is no journal at all
 */
export function parseJournal(bytes: Uint8Array): {
  head: JournalHead;
  records: JournalRecord[];
  complete: boolean;
} {
  const input = new ByteReader(bytes);
  let head: JournalHead;
  try {
    if (new TextDecoder().decode(input.raw(4)) !== MAGIC) throw new Error('other magic');
    head = JSON.parse(input.text()) as JournalHead;
    if (!Array.isArray(head.shape) || head.shape.length !== 3) throw new Error('no shape');
  } catch (cause) {
    throw new CytoError('corrupt-file', 'This is not a record of label edits.', { cause });
  }
  const records: JournalRecord[] = [];
  let complete = true;
  while (!input.done) {
    try {
      const body = input.block();
      const sum = input.raw(4);
      const stated = (sum[0] | (sum[1] << 8) | (sum[2] << 16) | (sum[3] << 24)) >>> 0;
      if (stated !== adler32(body)) throw new Error('checksum');
      records.push(parseRecord(body));
    } catch {
      // The machine stopped while this was written: what comes before is whole.
      complete = false;
      break;
    }
  }
  return { head, records, complete };
}

function parseRecord(body: Uint8Array): JournalRecord {
  const input = new ByteReader(body);
  const kind = KINDS[input.byte()];
  if (kind === undefined) throw new CytoError('corrupt-file', 'A record of edits is of an unknown kind.');
  if (kind !== 'commit') return { kind };
  const name = input.text();
  const box = Array.from({ length: 6 }, () => input.unsigned()) as unknown as LabelChange['box'];
  const voxels = input.unsigned();
  const runs = input.unsigned();
  return { kind, name, change: { box, voxels, runs, bytes: input.block().slice() } };
}

/**
 * Does everything in a journal again: the labels and the steps are then as when it ended.
 * @param history of labels that are as they were at the journal's start
 * @throws CytoError `bad-input` if the labels are others
 */
export function replayJournal(
  history: LabelHistory,
  { head, records }: { head: JournalHead; records: readonly JournalRecord[] },
): void {
  if (head.shape.join() !== history.labels.shape.join()) {
    throw new CytoError(
      'bad-input',
      `The edits belong to ${head.shape.join('×')} voxels, not to ${history.labels.shape.join('×')}.`,
    );
  }
  if (labelFingerprint(history.labels) !== head.fingerprint) {
    throw new CytoError('bad-input', 'The edits were made on other labels than those shown.');
  }
  for (const record of records) {
    if (record.kind === 'commit') history.apply(record.name, record.change);
    else if (record.kind === 'undo') history.undo('restore');
    else if (record.kind === 'redo') history.redo('restore');
    else history.clear();
  }
}

/** Adler-32 (RFC 1950). */
function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (let i = 0; i < bytes.length; ) {
    const end = Math.min(i + 3800, bytes.length);
    for (; i < end; i++) {
      a += bytes[i];
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  return ((b << 16) | a) >>> 0;
}
