/**
 * `npm run test:programs`: labels go to other programs' own Python packages and come back: tifffile, ome-zarr-py (what
 * napari-ome-zarr reads with), roifile, shapely (GeoJSON in QuPath's form) and Cellpose. Not part of `npm test`, for it
 * needs Python; CYTOPANE_PYTHON names one with these packages, and those that are missing are named and left out.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync } from 'fflate';
import { EXPORT_FILES, EXPORT_FORMATS, exportLabels } from '../../core/exports/export-labels.ts';
import { labelsFromRois } from '../../core/exports/imagej-rois.ts';
import { readLabelBytes } from '../../core/exports/read-labels.ts';
import { encodeNpy } from '../../core/npy.ts';
import type { Shape3, Volume } from '../../core/volume.ts';
import { readImagejRois } from '../../workers/io/imagej-roi.ts';
import { openImage } from '../../workers/io/open.ts';

const python = process.env.CYTOPANE_PYTHON ?? 'python3';
const here = dirname(fileURLToPath(import.meta.url));
const demo = (name: string) => join(here, '../../demo/data', name);
const calibration = { spacing: [1.75, 0.8, 0.8] as const, unit: 'µm', calibrated: true };

interface Case {
  name: string;
  labels: Uint32Array;
  shape: Shape3;
  image?: Volume;
}

async function open(path: string): Promise<Volume> {
  const files = statSync(path).isDirectory()
    ? (readdirSync(path, { recursive: true }) as string[]).filter((name) =>
        statSync(join(path, name)).isFile(),
      )
    : [''];
  const named = files.map((name) => {
    const file = join(path, name);
    const shown = relative(dirname(path), file);
    return { name: shown.split('/').at(-1) as string, path: shown, blob: new Blob([readFileSync(file)]) };
  });
  const source = await openImage(named.length === 1 ? named[0] : named);
  return source.readVolume();
}

/** Holes, parts that only touch at a corner, the image's border, and ids beyond 16 bits. */
function awkward(): Case {
  const [ny, nx] = [40, 50];
  const labels = new Uint32Array(ny * nx);
  const fill = (id: number, y0: number, x0: number, y1: number, x1: number) => {
    for (let y = y0; y < y1; y++) labels.fill(id, y * nx + x0, y * nx + x1);
  };
  fill(70_000, 0, 0, 12, 12);
  fill(0, 4, 4, 8, 8);
  fill(9, 5, 5, 7, 7);
  fill(3, 15, 15, 20, 20);
  fill(3, 20, 20, 25, 25);
  fill(4, 30, 40, 40, 50);
  fill(5, 28, 2, 29, 3);
  return { name: 'awkward', labels, shape: [1, ny, nx] };
}

async function cases(): Promise<Case[]> {
  const read = async (image: string, labels: string): Promise<Case> => {
    const [shown, volume] = await Promise.all([open(demo(image)), open(demo(labels))]);
    const [, , z, y, x] = volume.shape;
    return {
      name: image.replace(/\..*/, ''),
      labels: Uint32Array.from(volume.data as Uint16Array),
      shape: [z, y, x],
      image: shown,
    };
  };
  return [
    await read('nuclei-2d.png', 'nuclei-2d-labels.png'),
    await read('embryo-3d.tif', 'embryo-3d-labels.tif'),
    awkward(),
  ];
}

function write({ name, labels, shape, image }: Case, folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'labels.npy'), encodeNpy(Float32Array.from(labels), shape));
  for (const format of EXPORT_FORMATS) {
    const request = {
      labels,
      shape,
      calibration,
      layerName: 'cells',
      sourceName: `${name}.tif`,
      seed: 0,
      provenance: { model: 'µ', edits: 3 },
      channels: [],
      supplied: [],
      image: image && { ...image, calibration },
      t: 0,
    };
    const { bytes } = exportLabels(format, request);
    if (!format.startsWith('ome-zarr'))
      writeFileSync(join(folder, `ours${EXPORT_FILES[format].suffix}`), bytes);
    else {
      for (const [path, part] of Object.entries(unzipSync(bytes))) {
        if (path.endsWith('/')) continue;
        const file = join(folder, format, path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, part);
      }
    }
  }
}

/** What the packages have written, read here. */
async function back(file: string, shape: Shape3): Promise<Uint32Array> {
  const name = file.split('/').at(-1) as string;
  if (name.endsWith('.zip')) {
    const rois = await readImagejRois({ name, blob: new Blob([readFileSync(file)]) });
    return labelsFromRois(rois, shape);
  }
  if (name.endsWith('.geojson')) return readLabelBytes('geojson', readFileSync(file), shape).labels;
  if (name.endsWith('_seg.npy')) return readLabelBytes('cellpose-seg', readFileSync(file), shape).labels;
  // The labels in an OME-Zarr are an image of their own.
  const path = name.endsWith('.zarr') ? join(file, 'labels/cells') : file;
  return Uint32Array.from((await open(path)).data as Uint32Array);
}

const folder = mkdtempSync(join(tmpdir(), 'other-programs-'));
let failed = 0;
try {
  for (const one of await cases()) {
    const own = join(folder, one.name);
    write(one, own);
    const checked = spawnSync(python, ['-W', 'ignore', join(here, 'check.py'), own], { encoding: 'utf8' });
    process.stdout.write(checked.stdout.replaceAll(/^/gm, `${one.name}: `).replace(/[^\n]*$/, ''));
    if (checked.status !== 0) {
      failed++;
      console.log(`${one.name}: FAILED\n${checked.stderr}`);
    }
    const theirs = join(own, 'theirs');
    for (const name of readdirSync(theirs)) {
      try {
        const labels = await back(join(theirs, name), one.shape);
        assert.deepEqual(labels, one.labels);
        console.log(`${one.name}: ${name} of theirs read here`);
      } catch (error) {
        failed++;
        console.log(`${one.name}: ${name} of theirs FAILED: ${(error as Error).message.split('\n')[0]}`);
      }
    }
  }
} finally {
  if (!process.env.CYTOPANE_KEEP) rmSync(folder, { recursive: true });
}
console.log(failed === 0 ? 'all agree' : `${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
