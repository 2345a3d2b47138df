import type { ExportedFile, ExportFormat, LabelExport } from '../../core/exports/export-labels.ts';
import type { FolderFile } from '../../core/exports/ome-zarr.ts';
import type { LabelFileKind, ReadLabels } from '../../core/exports/read-labels.ts';
import type { TaskOptions } from '../../core/progress.ts';
import type { ProjectEntries } from '../../core/project/project-file.ts';
import type { Shape3 } from '../../core/volume.ts';
import { WorkerLink } from '../link.ts';

/** Writes and reads files of labels in a worker. */
export class ExportClient {
  readonly #link = new WorkerLink(
    'The exporting worker',
    () => new Worker(new URL('./exports.worker.js', import.meta.url), { type: 'module' }),
  );

  /**
   * Labels as one file.
   * @throws CytoError `too-large`, `bad-input`, `worker-crashed`, `aborted`
   */
  export(format: ExportFormat, request: LabelExport, options: TaskOptions = {}): Promise<ExportedFile> {
    return this.#send('export', format, request, options);
  }

  /** Labels and image as the files of an OME-Zarr folder. @throws CytoError as {@link export} */
  folder(
    format: 'ome-zarr-0.4' | 'ome-zarr-0.5',
    request: LabelExport,
    options: TaskOptions = {},
  ): Promise<FolderFile[]> {
    return this.#send('folder', format, request, options);
  }

  /**
   * Labels of a file that is no image; outlines are drawn into the shape of the scene [z, y, x].
   * @throws CytoError `corrupt-file`, `unsupported`, `bad-input`, `worker-crashed`, `aborted`
   */
  read(kind: LabelFileKind, file: File, scene: Shape3, options: TaskOptions = {}): Promise<ReadLabels> {
    return this.#link.call<ReadLabels>('read', [kind, file.name, file, scene], options);
  }

  /** The files of a project as one zip; copies are sent. @throws CytoError `worker-crashed`, `aborted` */
  zipProject(entries: ProjectEntries, options: TaskOptions = {}): Promise<Uint8Array> {
    const copies = Object.fromEntries(
      Object.entries(entries).map(([name, [bytes, level]]) => [name, [bytes.slice(), level] as const]),
    );
    const transfer = Object.values(copies).map(([{ buffer }]) => buffer as ArrayBuffer);
    return this.#link.call<Uint8Array>('zipProject', [copies], { ...options, transfer });
  }

  /** The files in a project. @throws CytoError `corrupt-file`, `worker-crashed`, `aborted` */
  unzipProject(file: Blob, options: TaskOptions = {}): Promise<Record<string, Uint8Array>> {
    return this.#link.call('unzipProject', [file], options);
  }

  /** Stops the worker; tasks under way are rejected as `aborted`. */
  dispose(): void {
    this.#link.dispose();
  }

  /** Sends copies, so that the page keeps its samples. */
  #send<T>(method: string, format: ExportFormat, request: LabelExport, options: TaskOptions): Promise<T> {
    const labels = request.labels.slice();
    const measured = format === 'csv' || format === 'geojson' || format.startsWith('ome-zarr');
    const channels = measured
      ? request.channels.map(({ name, samples }) => ({ name, samples: samples.slice() }))
      : [];
    const image =
      format.startsWith('ome-zarr') && request.image
        ? { ...request.image, data: request.image.data.slice() }
        : undefined;
    const copy: LabelExport = { ...request, labels, channels, image };
    return this.#link.call<T>(method, [format, copy], {
      ...options,
      transfer: [
        labels.buffer as ArrayBuffer,
        ...channels.map(({ samples }) => samples.buffer as ArrayBuffer),
        ...(image ? [image.data.buffer as ArrayBuffer] : []),
      ],
    });
  }
}
