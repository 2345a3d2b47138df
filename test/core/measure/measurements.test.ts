import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import type { Box } from '../../../core/label-volume.ts';
import {
  type MeasurementInput,
  type Measurements,
  measureLabels,
  rowOf,
  updateMeasurements,
} from '../../../core/measure/measurements.ts';
import { channelView, type Shape3, type Spacing, type Volume } from '../../../core/volume.ts';
import { openImage } from '../../../workers/io/open.ts';

interface Case {
  image: string;
  labels: string;
  spacing: Spacing;
  rows: Array<Record<string, number>>;
}

async function open(name: string): Promise<Volume> {
  const bytes = await readFile(new URL(`../../../demo/data/${name}`, import.meta.url));
  const source = await openImage({ name, path: name, blob: new Blob([bytes]) });
  return source.readVolume();
}

async function inputOf({ image, labels, spacing }: Omit<Case, 'rows'>): Promise<MeasurementInput> {
  const [shown, truth] = await Promise.all([open(image), open(labels)]);
  return {
    labels: Uint32Array.from(channelView(truth, 0, 0)),
    shape: truth.shape.slice(2) as unknown as Shape3,
    calibration: { spacing, unit: 'µm' },
    channels: [{ name: 'nuclei', samples: channelView(shown, 0, 0) }],
  };
}

/** Estimates whose definitions leave room; everything else agrees to rounding. */
const TOLERANCES: Record<string, number> = { perimeter: 0.02, surface: 0.02 };

const reference = JSON.parse(
  await readFile(new URL('./reference-measurements.json', import.meta.url), 'utf8'),
) as { cases: Case[] };

describe('measurements agree with scikit-image', () => {
  for (const one of reference.cases) {
    it(`${one.labels}, spacing ${one.spacing.join(' × ')}`, async () => {
      const measured = measureLabels(await inputOf(one));
      assert.deepEqual(
        [...measured.ids],
        one.rows.map(({ label }) => label),
      );
      one.rows.forEach((row, n) => {
        for (const [key, wanted] of Object.entries(row)) {
          if (key === 'label') continue;
          const column = key === 'size' ? (one.spacing[0] !== 1 || 'box_z0' in row ? 'volume' : 'area') : key;
          const got = measured.values[column][n];
          const error = Math.abs(got - wanted) / Math.max(Math.abs(wanted), 1e-9);
          assert.ok(
            error <= (TOLERANCES[key] ?? 1e-6),
            `label ${row.label}: ${column} ${got}, not ${wanted}`,
          );
        }
      });
    });
  }
});

function same(got: Measurements, wanted: Measurements): void {
  assert.deepEqual(got.ids, wanted.ids);
  for (const { key } of wanted.columns) {
    wanted.values[key].forEach((value, row) => {
      const found = got.values[key][row];
      assert.ok(
        Object.is(found, value) || Math.abs(found - value) <= 1e-9 * Math.abs(value),
        `${key} of label ${wanted.ids[row]}: ${found}, not ${value}`,
      );
    });
  }
}

describe('after an edit', () => {
  const edits: ReadonlyArray<{ title: string; paint(labels: Uint32Array, shape: Shape3): Box }> = [
    {
      title: 'a new label over others',
      paint: (labels, [nz, ny, nx]) => {
        const z = nz >> 1;
        for (let y = 20; y < 45; y++) labels.fill(900, (z * ny + y) * nx + 30, (z * ny + y) * nx + 52);
        return [z, 20, 30, z + 1, 45, 52];
      },
    },
    {
      title: 'a label erased',
      paint: (labels, [nz, ny, nx]) => {
        const id = labels.find((label) => label !== 0) as number;
        for (let i = 0; i < labels.length; i++) if (labels[i] === id) labels[i] = 0;
        return [0, 0, 0, nz, ny, nx];
      },
    },
  ];
  for (const one of [reference.cases[1], reference.cases[3]]) {
    for (const { title, paint } of edits) {
      it(`${title}: ${one.labels} measures as if from scratch`, async () => {
        const input = await inputOf(one);
        const before = measureLabels(input);
        const box = paint(input.labels, input.shape);
        same(updateMeasurements(before, input, box), measureLabels(input));
      });
    }
  }

  it('keeps supplied columns of untouched labels only', async () => {
    const input = await inputOf(reference.cases[0]);
    input.supplied = [
      { key: 'flow_error', values: new Map([...new Set(input.labels)].map((id) => [id, id / 100])) },
    ];
    const before = measureLabels(input);
    const [nx] = input.shape.slice(2);
    const at = input.labels.indexOf(3);
    input.labels[at] = 0;
    const [y, x] = [Math.floor(at / nx), at % nx];
    const after = updateMeasurements(before, input, [0, y, x, 1, y + 1, x + 1]);
    assert.ok(Number.isNaN(after.values.flow_error[rowOf(after, 3)]));
    assert.equal(after.values.flow_error[rowOf(after, 4)], 0.04);
  });
});

describe('special shapes', () => {
  const measure = (rows: string[], spacing: Spacing = [1, 1, 1]) => {
    const labels = Uint32Array.from(rows.join(''), Number);
    const shape: Shape3 = [1, rows.length, rows[0].length];
    return measureLabels({ labels, shape, calibration: { spacing, unit: 'px' } });
  };

  it('single pixels, lines, labels in pieces and at the edge', () => {
    const { ids, values } = measure(['1002', '0002', '0302', '3000']);
    assert.deepEqual([...ids], [1, 2, 3]);
    assert.deepEqual([...values.pixels], [1, 3, 2]);
    assert.deepEqual([...values.solidity], [1, 1, 1]);
    assert.deepEqual([...values.eccentricity], [0, 1, 1]);
    assert.deepEqual([...values.at_edge], [1, 1, 1]);
    assert.deepEqual([...values.orientation], [0, 90, 45]);
  });

  it('counts neighbours across pixel edges once', () => {
    const { values } = measure(['1122', '1122', '3300', '0004']);
    assert.deepEqual([...values.neighbours], [2, 1, 1, 0]);
  });

  it('needs no labels', () => {
    assert.equal(measure(['00', '00']).ids.length, 0);
  });

  it('gives a ball its sphericity and surface, whatever the spacing', () => {
    const spacing: Spacing = [2, 1, 1];
    const labels = new Uint32Array(30 * 50 * 50);
    let i = 0;
    for (let z = 0; z < 30; z++)
      for (let y = 0; y < 50; y++)
        for (let x = 0; x < 50; x++, i++)
          if (Math.hypot(2 * (z - 14.5), y - 24.5, x - 24.5) < 20) labels[i] = 7;
    const { values } = measureLabels({ labels, shape: [30, 50, 50], calibration: { spacing, unit: 'µm' } });
    assert.ok(Math.abs(values.equivalent_diameter[0] - 40) < 0.1, String(values.equivalent_diameter[0]));
    // A surface of voxel steps is some tenth larger than the ball's.
    const surplus = values.surface[0] / (4 * Math.PI * 400) - 1;
    assert.ok(surplus > 0.05 && surplus < 0.15, String(surplus));
    assert.ok(values.sphericity[0] > 0.85 && values.sphericity[0] < 0.95, String(values.sphericity[0]));
    assert.ok(values.solidity[0] > 0.9 && values.solidity[0] < 1);
  });
});
