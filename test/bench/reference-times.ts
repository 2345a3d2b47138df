import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FlowGrid, PlaneStack } from './flow-grids.ts';

/** Seconds of processor time per stage; stages that do not run on a grid are absent. */
export interface StageTimes {
  dynamics?: number;
  clusters?: number;
  control?: number;
  cleaning?: number;
  total: number;
}

function npy(array: Float32Array | Uint32Array, shape: readonly number[]): Buffer {
  const type = array instanceof Float32Array ? '<f4' : '<u4';
  const header = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]);
  const samples = Buffer.from(array.buffer, array.byteOffset, array.byteLength);
  return Buffer.concat([start, Buffer.from(`${header.padEnd(117)}\n`, 'latin1'), samples]);
}

/**
 * Times of the reference, by the names of the grids and of the stacks of planes to stitch, on one thread; undefined
 * where that Python has no `cellpose`.
 * @param runs most runs of each, of which the quickest counts
 */
export function referenceTimes(
  python: string,
  grids: Record<string, FlowGrid>,
  stacks: Record<string, PlaneStack>,
  runs: number,
): Record<string, StageTimes> | undefined {
  if (Object.keys({ ...grids, ...stacks }).length === 0) return {};
  if (spawnSync(python, ['-c', 'import cellpose']).status !== 0) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'cytopane-bench-'));
  try {
    const names = Object.keys(grids);
    names.forEach((name, k) => {
      const { dP, cellprob, shape } = grids[name];
      writeFileSync(join(folder, `grid${k}-dP.npy`), npy(dP, [shape.length, ...shape]));
      writeFileSync(join(folder, `grid${k}-cellprob.npy`), npy(cellprob, shape));
    });
    const stackNames = Object.keys(stacks);
    stackNames.forEach((name, k) => {
      writeFileSync(join(folder, `stack${k}.npy`), npy(stacks[name].planes, stacks[name].shape));
    });
    const script = fileURLToPath(new URL('reference_masks.py', import.meta.url));
    const files = [...names.map((_, k) => `grid${k}`), ...stackNames.map((_, k) => `stack${k}`)];
    const { stdout, stderr, status } = spawnSync(python, [script, folder, files.join(','), String(runs)], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`The reference failed.\n${stderr}`);
    const times = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Record<string, StageTimes>;
    return Object.fromEntries([...names, ...stackNames].map((name, k) => [name, times[files[k]]]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
