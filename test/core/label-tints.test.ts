import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { colorDistance, oklab } from '../../core/color-distance.ts';
import { LabelTints, LEAST_DISTANCE } from '../../core/label-tints.ts';
import { LabelVolume } from '../../core/label-volume.ts';
import type { Shape3 } from '../../core/volume.ts';
import { openImage } from '../../workers/io/open.ts';
import { referenceData } from '../reference-data.ts';

const calibration = { spacing: [1, 1, 1] as const, unit: 'px', calibrated: false };
const dense = referenceData('data/codex_tissue_wholecell');

async function labelsOf(path: string): Promise<LabelVolume> {
  const file = new File([readFileSync(path)], path.split('/').at(-1) ?? '');
  const { data, shape } = await (
    await openImage({ name: file.name, path: file.name, blob: file })
  ).readVolume();
  const size = shape[2] * shape[3] * shape[4];
  return new LabelVolume(
    [shape[2], shape[3], shape[4]],
    calibration,
    Uint32Array.from(data.subarray(0, size)),
  );
}

/** The smallest distance of colours of labels that share a border, told apart from the tints' own bookkeeping. */
function nearest({ data, shape }: LabelVolume, tints: LabelTints): { distance: number; pairs: number } {
  const [nz, ny, nx] = shape;
  const pairs = new Map<string, number>();
  for (let z = 0, i = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++, i++) {
        const others = [x > 0 ? data[i - 1] : 0, y > 0 ? data[i - nx] : 0, z > 0 ? data[i - nx * ny] : 0];
        for (const other of others) {
          if (data[i] === 0 || other === 0 || other === data[i]) continue;
          const key = `${Math.min(other, data[i])} ${Math.max(other, data[i])}`;
          if (!pairs.has(key)) pairs.set(key, colorDistance(tints.color(other), tints.color(data[i])));
        }
      }
    }
  }
  return { distance: Math.min(Number.POSITIVE_INFINITY, ...pairs.values()), pairs: pairs.size };
}

/** Cells around random points, without background: as dense as labels can be. */
function mosaic(shape: Shape3, count: number, random: () => number, id: (k: number) => number): LabelVolume {
  const [nz, ny, nx] = shape;
  const points = Array.from({ length: count }, () => [random() * nz, random() * ny, random() * nx]);
  const labels = new LabelVolume(shape, calibration);
  for (let z = 0, i = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++, i++) {
        let [best, far] = [0, Number.POSITIVE_INFINITY];
        points.forEach(([pz, py, px], k) => {
          const distance = (pz - z) ** 2 + (py - y) ** 2 + (px - x) ** 2;
          if (distance < far) [best, far] = [k, distance];
        });
        labels.data[i] = id(best);
      }
    }
  }
  return labels;
}

function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('colours of labels that touch', () => {
  it('are measured as eyes do', () => {
    assert.ok(Math.abs(oklab([255, 255, 255])[0] - 1) < 1e-6);
    assert.ok(Math.abs(oklab([255, 0, 0])[1] - 0.2249) < 1e-3);
    assert.ok(colorDistance([200, 30, 30], [205, 32, 30]) < 0.02);
    assert.ok(colorDistance([200, 30, 30], [30, 30, 200]) > 0.2);
  });

  it('are never alike in a volume without gaps, whatever the ids', () => {
    for (const [k, id] of [
      (n: number) => n + 1,
      (n: number) => (n * 2654435761 + 5) % 0xffff_fffe,
    ].entries()) {
      const labels = mosaic([24, 40, 40], 300, randomNumbers(k + 1), id);
      for (const seed of [0, 7]) {
        const { distance, pairs } = nearest(labels, LabelTints.of(labels, seed));
        assert.ok(pairs > 1000);
        assert.ok(distance >= LEAST_DISTANCE, `${distance} at seed ${seed}`);
      }
    }
  });

  it('are never alike after any sequence of edits, and change for labels in the edited box only', () => {
    const random = randomNumbers(5);
    const labels = mosaic([1, 90, 90], 200, random, (k) => k + 1);
    const tints = LabelTints.of(labels, 0);
    let recoloured = 0;
    let fresh = 201;
    for (let step = 0; step < 400; step++) {
      const before = Array.from({ length: 400 }, (_, id) => tints.css(id));
      const [y, x] = [Math.floor(random() * 80), Math.floor(random() * 80)];
      const [y1, x1] = [y + 1 + Math.floor(random() * 9), x + 1 + Math.floor(random() * 9)];
      // Erased, a new cell, or a cell nearby that grows.
      const kind = random();
      const id = kind < 0.2 ? 0 : kind < 0.5 ? fresh++ : labels.at(0, y, Math.max(0, x - 1));
      for (let row = y; row < y1; row++) labels.data.fill(id, row * 90 + x, row * 90 + x1);
      labels.touch([0, y, x, 1, y1, x1]);
      const around = new Set<number>();
      for (let row = Math.max(0, y - 2); row < Math.min(90, y1 + 2); row++) {
        for (let column = Math.max(0, x - 2); column < Math.min(90, x1 + 2); column++)
          around.add(labels.at(0, row, column));
      }
      for (let other = 1; other < 400; other++) {
        if (tints.css(other) === before[other]) continue;
        recoloured++;
        assert.ok(around.has(other), `label ${other} lies elsewhere`);
      }
      if (step % 20 === 0) assert.ok(nearest(labels, tints).distance >= LEAST_DISTANCE);
    }
    assert.ok(recoloured > 0 && recoloured < 400, `${recoloured} changes of colour in 400 edits`);
    assert.ok(nearest(labels, tints).distance >= LEAST_DISTANCE);
  });

  it('leave most labels the colour of their id, and reach the device by their place in the table', () => {
    const labels = mosaic([1, 120, 120], 300, randomNumbers(9), (k) => k + 1);
    const tints = LabelTints.of(labels, 0);
    const tinted = Array.from({ length: 300 }, (_, k) => k + 1).filter((id) => tints.of(id) !== 0);
    assert.ok(tinted.length > 0 && tinted.length < 90, `${tinted.length} of 300`);
    for (const id of tinted) assert.equal(tints.table[id], tints.of(id));
    assert.equal(
      tints.table.reduce((sum, tint) => sum + Math.min(1, tint), 0),
      tinted.length,
    );
  });

  it('are never alike in a real stack, looked through in turns', async () => {
    const path = fileURLToPath(new URL('../../demo/data/embryo-3d-labels.tif', import.meta.url));
    const one = await labelsOf(path);
    const [nz, ny, nx] = one.shape;
    const copies = Math.ceil(4_200_000 / one.data.length);
    const labels = new LabelVolume([nz * copies, ny, nx], calibration);
    for (let k = 0; k < copies; k++) {
      labels.data.set(
        one.data.map((id) => (id === 0 ? 0 : id + k * 97)),
        k * one.data.length,
      );
    }
    const tints = LabelTints.of(labels, 0);
    await tints.settled();
    const { distance, pairs } = nearest(labels, tints);
    assert.ok(pairs > 0);
    assert.ok(distance >= LEAST_DISTANCE, `${distance} of ${pairs} pairs`);
  });

  it('are never alike in dense tissue', { skip: dense.skip }, async () => {
    const names = (readdirSync(dense.path, { recursive: true }) as string[]).filter((name) =>
      /^(masks|reference_cellpose).*png$/.test(name),
    );
    assert.ok(names.length > 0);
    for (const name of names) {
      const labels = await labelsOf(join(dense.path, name));
      const { distance, pairs } = nearest(labels, LabelTints.of(labels, 0));
      assert.ok(pairs > 100 && distance >= LEAST_DISTANCE, `${name}: ${distance} of ${pairs} pairs`);
    }
  });
});
