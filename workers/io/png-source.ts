import { CytoError } from '../../core/errors.ts';
import type { ImageSource } from '../../core/image-source.ts';
import { createVolume, type VolumeData } from '../../core/volume.ts';
import { volumeSource } from '../../core/volume-source.ts';
import { bytesOf, type NamedBlob } from './bytes.ts';
import { checkFits } from './memory.ts';

/** Samples of interleaved pixels, one plane per channel. */
export function deinterleave(data: VolumeData, channels: number, kept = channels): VolumeData {
  if (channels === 1) return data;
  const area = data.length / channels;
  const out = new (data.constructor as new (length: number) => VolumeData)(area * kept);
  for (let i = 0, from = 0; i < area; i++, from += channels) {
    for (let c = 0; c < kept; c++) out[c * area + i] = data[from + c];
  }
  return out;
}

/** Opens a PNG: grey, colour or palette indices, 1 to 16 bits, samples as stored; an opaque alpha channel is dropped. */
export async function openPng(file: NamedBlob): Promise<ImageSource> {
  const bytes = await bytesOf(file);
  const view = new DataView(bytes.buffer);
  const corrupt = (cause: unknown) =>
    new CytoError(
      'corrupt-file',
      `"${file.name}" is a damaged PNG: ${cause instanceof Error ? cause.message : String(cause)}. Export it again.`,
      { cause },
    );
  if (bytes.length < 33) throw corrupt('it ends in its header');
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  checkFits([1, 4, 1, height, width], 'uint16', file.name);
  const { decode } = await import('fast-png');
  let png: ReturnType<typeof decode>;
  try {
    png = decode(bytes, { checkCrc: true });
  } catch (cause) {
    throw corrupt(cause);
  }
  const samples =
    png.depth < 8 ? unpack(png.data as Uint8Array, width, height, png.depth) : (png.data as VolumeData);
  const colour = png.channels >= 3;
  const alpha = png.channels === 2 || png.channels === 4;
  const kept = alpha ? png.channels - 1 : png.channels;
  const notes = alpha ? ['The transparency channel of the PNG is not used.'] : [];
  if (png.palette) notes.push('The PNG has a palette; its indices are shown as grey values.');
  return volumeSource(
    createVolume({
      data: deinterleave(samples, png.channels, kept),
      shape: kept === 1 ? [height, width] : [kept, 1, height, width],
      name: file.name,
      storedAxes: colour ? 'YXS' : 'YX',
      rgb: colour && png.depth === 8,
      ...(colour ? { channels: [{ name: 'Red' }, { name: 'Green' }, { name: 'Blue' }] } : {}),
      notes,
    }),
  );
}

/** One sample per byte from rows of packed bits. */
function unpack(packed: Uint8Array, width: number, height: number, depth: number): Uint8Array {
  if (packed.length === width * height) return packed;
  const rowBytes = Math.ceil((width * depth) / 8);
  const out = new Uint8Array(width * height);
  const mask = (1 << depth) - 1;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const bit = x * depth;
      out[i] = (packed[y * rowBytes + (bit >> 3)] >> (8 - depth - (bit & 7))) & mask;
    }
  }
  return out;
}
