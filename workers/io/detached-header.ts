import { CytoError } from '../../core/errors.ts';
import { bytesOf, type NamedBlob } from './bytes.ts';

/**
 * Header and samples of a two-file image (.nhdr + .raw, .mhd + .raw) as the bytes of the one-file form, which every
 * reader understands.
 * @param files the files that were opened together
 * @throws CytoError `not-found` naming the file that is missing
 */
export async function joinDetached(header: NamedBlob, files: readonly NamedBlob[]): Promise<Uint8Array> {
  const bytes = await bytesOf(header);
  const meta = /\.mhd$/i.test(header.name);
  const text = new TextDecoder('latin1').decode(bytes);
  const line = meta ? /^ElementDataFile\s*=\s*(.+)$/m : /^data ?file\s*:\s*(.+)$/im;
  const match = line.exec(text);
  const name = match?.[1].trim();
  if (!match || !name || /^local$/i.test(name)) return bytes;
  if (/^list\b/i.test(name) || /%/.test(name)) {
    throw new CytoError(
      'unsupported',
      `"${header.name}" spreads its samples over many files. Save it as one file.`,
    );
  }
  const base = name.split('/').at(-1);
  const data = files.find((file) => file.name === base);
  if (!data) {
    throw new CytoError(
      'not-found',
      `"${header.name}" keeps its samples in "${name}". Open both files together.`,
    );
  }
  const head = meta
    ? `${text.slice(0, match.index).replace(/\s*$/, '')}\nElementDataFile = LOCAL\n`
    : `${text
        .replace(line, '')
        .replace(/\n{2,}/g, '\n')
        .replace(/\s*$/, '')}\n\n`;
  const headBytes = Uint8Array.from(head, (character) => character.charCodeAt(0));
  const samples = await bytesOf(data);
  const out = new Uint8Array(headBytes.length + samples.length);
  out.set(headBytes);
  out.set(samples, headBytes.length);
  return out;
}
