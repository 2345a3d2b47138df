import { type LabelFileKind, labelFileKind } from '../../core/exports/read-labels.ts';
import { LabelVolume } from '../../core/label-volume.ts';
import { type LabelsLayer, labelsLayer } from '../../core/layer.ts';
import type { TaskOptions } from '../../core/progress.ts';
import type { Project } from '../../core/project/project-file.ts';
import type { ExportClient } from '../../workers/exports/client.ts';
import { labelVolumeOf } from '../labels/label-samples.ts';
import type { CytoViewer } from '../viewer/viewer.ts';

/** What a file is, besides an image. */
export type SpecialFile = LabelFileKind | 'project';

/** Bytes at either end of a file by which its kind is told. */
const HEAD = 4096;
const TAIL = 1 << 16;

/** Tells projects and files of labels from images. */
export async function specialFile(file: File): Promise<SpecialFile | undefined> {
  const [head, tail] = await Promise.all([
    file.slice(0, HEAD).arrayBuffer(),
    file.slice(Math.max(0, file.size - TAIL)).arrayBuffer(),
  ]);
  const end = new Uint8Array(tail);
  const zip = new Uint8Array(head)[0] === 0x50 && new Uint8Array(head)[1] === 0x4b;
  if (zip && new TextDecoder('latin1').decode(end).includes('project.json')) return 'project';
  return labelFileKind(file.name, new Uint8Array(head), end);
}

async function withClient<T>(task: (client: ExportClient) => Promise<T>): Promise<T> {
  const { ExportClient } = await import('../../workers/exports/client.ts');
  const client = new ExportClient();
  try {
    return await task(client);
  } finally {
    client.dispose();
  }
}

/** A saved project. @throws CytoError `corrupt-file`, `unsupported` */
export async function readProjectFile(file: Blob): Promise<Project> {
  const files = await withClient((client) => client.unzipProject(file));
  const { readProject } = await import('../../core/project/project-file.ts');
  return readProject(files);
}

/**
 * Adds the labels of a file on top: ImageJ ROIs, GeoJSON, Cellpose's `_seg.npy`, or any image of whole numbers.
 * @throws CytoError as the readers do; `bad-input` for samples that are no labels
 */
export async function openLabels(
  viewer: CytoViewer,
  file: File,
  options: TaskOptions = {},
): Promise<LabelsLayer> {
  const { model } = viewer;
  const kind = await specialFile(file);
  const scene = model.layers.length > 0 ? model.dims : undefined;
  const calibration = {
    spacing: model.dims.spacing,
    unit: model.dims.unit,
    calibrated: model.dims.unit !== 'px',
  };
  let labels: LabelVolume;
  if (kind && kind !== 'project') {
    const read = await withClient((client) => client.read(kind, file, model.dims.shape, options));
    labels = new LabelVolume(read.shape, calibration, read.labels);
  } else {
    const volume = await viewer.readVolume(file, options);
    const [, , z, y, x] = volume.shape;
    const samples = { data: volume.data.subarray(0, z * y * x), shape: [z, y, x] };
    labels = labelVolumeOf(
      volume.calibration.calibrated ? { ...samples, calibration: volume.calibration } : samples,
      scene && { shape: scene.shape, calibration },
    );
  }
  labels.origin.opened = file.name;
  let id = 'labels';
  for (let k = 2; model.get(id); k++) id = `labels-${k}`;
  const layer = labelsLayer(id, labels, { name: file.name, editable: true });
  await viewer.add(layer);
  return layer;
}
