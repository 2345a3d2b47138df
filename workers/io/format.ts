import { headOf, type NamedBlob } from './bytes.ts';

/** Formats that can be told apart. */
export type Format =
  | 'tiff'
  | 'png'
  | 'jpeg'
  | 'bmp'
  | 'nrrd'
  | 'nifti'
  | 'meta'
  | 'mrc'
  | 'npy'
  | 'zip'
  | 'gzip'
  | 'text'
  | 'unknown';

const starts = (bytes: Uint8Array, ...magic: number[]) => magic.every((byte, i) => bytes[i] === byte);
const ascii = (bytes: Uint8Array, start: number, length: number) =>
  String.fromCharCode(...bytes.subarray(start, start + length));

/** Which format a file has, by its first bytes; by its name only where the bytes do not tell. */
export async function formatOf({ blob, name }: NamedBlob): Promise<Format> {
  const head = await headOf(blob);
  const lower = name.toLowerCase();
  if (starts(head, 0x49, 0x49, 0x2a, 0) || starts(head, 0x4d, 0x4d, 0, 0x2a)) return 'tiff';
  if (starts(head, 0x49, 0x49, 0x2b, 0) || starts(head, 0x4d, 0x4d, 0, 0x2b)) return 'tiff';
  if (starts(head, 0x89, 0x50, 0x4e, 0x47)) return 'png';
  if (starts(head, 0xff, 0xd8, 0xff)) return 'jpeg';
  if (ascii(head, 0, 2) === 'BM' && lower.endsWith('.bmp')) return 'bmp';
  if (ascii(head, 0, 4) === 'NRRD') return 'nrrd';
  if (starts(head, 0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59)) return 'npy';
  if (starts(head, 0x50, 0x4b, 3, 4) || starts(head, 0x50, 0x4b, 5, 6)) return 'zip';
  if (['n+1\0', 'ni1\0'].includes(ascii(head, 344, 4)) || ['n+2\0', 'ni2\0'].includes(ascii(head, 4, 4)))
    return 'nifti';
  if (starts(head, 0x1f, 0x8b)) return /\.nii\.gz$/.test(lower) ? 'nifti' : 'gzip';
  if (ascii(head, 208, 4) === 'MAP ' || /\.(mrc|map|rec)$/.test(lower)) return 'mrc';
  const text = ascii(head, 0, Math.min(head.length, 256));
  if (/^\s*(ObjectType|NDims|Comment)\s*=/m.test(text) && /\.(mha|mhd)$/.test(lower)) return 'meta';
  if (/\.nii$/.test(lower)) return 'nifti';
  return head.length > 0 && [...head].every((byte) => byte >= 9 && byte < 0x80 && (byte >= 32 || byte <= 13))
    ? 'text'
    : 'unknown';
}
