import {
  type ExportedFile,
  type ExportFormat,
  exportLabels,
  type LabelExport,
  zarrRequest,
} from '../../core/exports/export-labels.ts';
import { labelsFromRois } from '../../core/exports/imagej-rois.ts';
import { type FolderFile, omeZarrFiles } from '../../core/exports/ome-zarr.ts';
import { type LabelFileKind, type ReadLabels, readLabelBytes } from '../../core/exports/read-labels.ts';
import type { TaskOptions } from '../../core/progress.ts';
import { type ProjectEntries, unzipProject, zipProject } from '../../core/project/project-file.ts';
import type { Shape3 } from '../../core/volume.ts';
import { readImagejRois } from '../io/imagej-roi.ts';
import { moving, serve } from '../serve.ts';
import { readZarrLabels } from './zarr-labels.ts';

serve({
  export(format: ExportFormat, request: LabelExport): ExportedFile {
    const file = exportLabels(format, request);
    return moving(file, [file.bytes.buffer as ArrayBuffer]);
  },

  folder(format: 'ome-zarr-0.4' | 'ome-zarr-0.5', request: LabelExport): FolderFile[] {
    // Small files may share a buffer: copies can be moved.
    const files = [...omeZarrFiles(zarrRequest(format, request))].map(
      ([path, bytes]): FolderFile => [path, bytes.slice()],
    );
    return moving(
      files,
      files.map(([, bytes]) => bytes.buffer as ArrayBuffer),
    );
  },

  zipProject(entries: ProjectEntries): Uint8Array {
    const bytes = zipProject(entries);
    return moving(bytes, [bytes.buffer as ArrayBuffer]);
  },

  async unzipProject(blob: Blob): Promise<Record<string, Uint8Array>> {
    const files = unzipProject(new Uint8Array(await blob.arrayBuffer()));
    for (const [name, bytes] of Object.entries(files)) files[name] = bytes.slice();
    return moving(
      files,
      Object.values(files).map(({ buffer }) => buffer as ArrayBuffer),
    );
  },

  async read(
    kind: LabelFileKind,
    name: string,
    blob: Blob,
    scene: Shape3,
    options: TaskOptions,
  ): Promise<ReadLabels> {
    const read = await readFile(kind, name, blob, scene, options);
    return moving(read, [read.labels.buffer as ArrayBuffer]);
  },
});

async function readFile(
  kind: LabelFileKind,
  name: string,
  blob: Blob,
  scene: Shape3,
  options: TaskOptions,
): Promise<ReadLabels> {
  if (kind === 'imagej-rois') {
    return { labels: labelsFromRois(await readImagejRois({ name, blob }), scene), shape: scene };
  }
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return kind === 'ome-zarr-labels'
    ? readZarrLabels(name, bytes, options)
    : readLabelBytes(kind, bytes, scene);
}
