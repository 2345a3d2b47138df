/**
 * `npm run bench:viewer`: time to the first picture and work per frame of this viewer and of NiiVue, showing the same
 * 512×512×128 uint16 stack with labels in the same headless browser, frame by frame in turns. Times are this machine's; the ratios
 * are what counts.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStage } from '../e2e/browser.ts';
import { compareViewers, TASKS } from './viewer-in-page.ts';

const SHAPE = [Number(process.env.BENCH_PLANES ?? 128), 512, 512] as const;
const FRAMES = Number(process.env.BENCH_FRAMES ?? 20);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 2);
/** Part of the name of the only task to be done. */
const ONLY = process.env.BENCH_TASK ?? '';
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Single-file NIfTI-1 of uint16 samples [z, y, x]. */
function nifti(samples: Uint16Array): Uint8Array {
  const file = new Uint8Array(352 + samples.byteLength);
  const view = new DataView(file.buffer);
  view.setInt32(0, 348, true);
  for (const [k, value] of [3, SHAPE[2], SHAPE[1], SHAPE[0], 1, 1, 1, 1].entries()) {
    view.setInt16(40 + 2 * k, value, true);
  }
  view.setInt16(70, 512, true);
  view.setInt16(72, 16, true);
  for (let k = 0; k < 4; k++) view.setFloat32(76 + 4 * k, 1, true);
  view.setFloat32(108, 352, true);
  view.setFloat32(112, 1, true);
  view.setInt16(254, 1, true);
  for (const at of [280, 300, 320]) view.setFloat32(at, 1, true);
  file.set([0x6e, 0x2b, 0x31, 0], 344);
  file.set(new Uint8Array(samples.buffer), 352);
  return file;
}

/** Bright balls on a noisy ground, and their labels. */
function cells(): { image: Uint16Array; labels: Uint16Array } {
  const [nz, ny, nx] = SHAPE;
  const image = new Uint16Array(nz * ny * nx);
  const labels = new Uint16Array(image.length);
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  for (let i = 0; i < image.length; i++) image[i] = 100 + random() * 200;
  for (let id = 1; id <= 600; id++) {
    const radius = 8 + random() * 8;
    const [cz, cy, cx] = SHAPE.map((length) => radius + random() * (length - 2 * radius));
    for (let z = Math.ceil(cz - radius); z < cz + radius; z++) {
      for (let y = Math.ceil(cy - radius); y < cy + radius; y++) {
        for (let x = Math.ceil(cx - radius); x < cx + radius; x++) {
          if ((z - cz) ** 2 + (y - cy) ** 2 + (x - cx) ** 2 > radius ** 2) continue;
          const at = (z * ny + y) * nx + x;
          image[at] = 1500 + random() * 1500;
          labels[at] = id;
        }
      }
    }
  }
  return { image, labels };
}

const folder = mkdtempSync(join(tmpdir(), 'viewer-bench-'));
const { image, labels } = cells();
writeFileSync(join(folder, 'image.nii'), nifti(image));
writeFileSync(join(folder, 'labels.nii'), nifti(labels));
const stage = await openStage({
  mounts: { '/bench/': folder },
  // A frame then takes as long as its work, and not the next multiple of a screen's period.
  flags: ['--disable-frame-rate-limit', '--disable-gpu-vsync'],
});
const inPage = async (first?: 'cytopane' | 'niivue') => {
  await stage.page.goto(`${stage.origin}/test/bench/viewer.html`);
  const source = `(${compareViewers.toString()})(${[FRAMES, SHAPE[0], TASKS.filter((name) => name.includes(ONLY)), first].map((value) => JSON.stringify(value)).join()})`;
  return (await stage.page.evaluate(source)) as Awaited<ReturnType<typeof compareViewers>>;
};
try {
  const first: number[][] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    first[0].push((await inPage('cytopane')).first);
    first[1].push((await inPage('niivue')).first);
  }
  const { tasks } = await inPage();
  console.log(`${SHAPE.toReversed().join('×')} uint16 with 600 labels, 640×480 pixels, WebGL in software`);
  console.log('milliseconds per frame, median                Cytopane     NiiVue   ratio  batches');
  const rows = [{ name: 'first picture (from its start)', times: first }, ...tasks];
  for (const { name, times } of rows) {
    const [ours, theirs] = times.map(median);
    // Of frames next to each other, so that the load of the machine is about the same for both.
    const ratio = median(times[0].map((time, k) => time / times[1][k]));
    const cells = [
      ours.toFixed(1).padStart(12),
      theirs.toFixed(1).padStart(11),
      ratio.toFixed(2).padStart(8),
      String(times[0].length).padStart(9),
    ];
    console.log(`${name.padEnd(42)}${cells.join('')}`);
  }
  console.log(
    '3D while it turns is drawn at the resolution that takes 60 ms and in full at rest; NiiVue always in full.',
  );
} finally {
  await stage.close();
  rmSync(folder, { recursive: true });
}
