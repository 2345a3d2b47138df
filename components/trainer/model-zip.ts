import { zip } from 'fflate';

/** The files of a model folder as one BioImage.IO package. @throws Error as the zip library does */
export async function zipModel(files: ReadonlyMap<string, Blob>): Promise<Blob> {
  const entries: Record<string, Uint8Array> = {};
  for (const [name, blob] of files) entries[name] = new Uint8Array(await blob.arrayBuffer());
  return new Promise((resolve, reject) => {
    zip(entries, { level: 1 }, (error, bytes) => {
      if (error) reject(error);
      else resolve(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'application/zip' }));
    });
  });
}
