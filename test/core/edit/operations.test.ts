import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Axis, brushRadii, brushRows, type Voxel } from '../../../core/edit/brush.ts';
import {
  borderLabels,
  changeLabel,
  deleteLabels,
  labelsInBox,
  mergeLabels,
  relabel,
  smallLabels,
} from '../../../core/edit/cells.ts';
import { squaredDistance } from '../../../core/edit/distance.ts';
import { floodFill } from '../../../core/edit/flood.ts';
import { interpolatePlanes } from '../../../core/edit/interpolate.ts';
import { LabelHistory } from '../../../core/edit/label-history.ts';
import { polygonRows } from '../../../core/edit/polygon.ts';
import { fillHoles, growLabel, shrinkLabel, smoothLabel } from '../../../core/edit/shape.ts';
import { splitLabel } from '../../../core/edit/split.ts';
import type { LabelVolume } from '../../../core/label-volume.ts';
import type { Shape3 } from '../../../core/volume.ts';
import { random, volumeOf } from './label-scenes.ts';

/** Rows of a plane as text, '.' for 0 and the last digit of the label. */
const plane = ({ data, shape }: LabelVolume, z = 0) =>
  Array.from({ length: shape[1] }, (_, y) =>
    [...data.subarray((z * shape[1] + y) * shape[2], (z * shape[1] + y + 1) * shape[2])]
      .map((label) => (label === 0 ? '.' : String(label % 10)))
      .join(''),
  );
const drawn = (rows: string[], spacing?: readonly [number, number, number]) =>
  volumeOf(
    [1, rows.length, rows[0].length],
    rows.flatMap((row, y) => [...row].map((c, x) => [0, y, x, x + 1, c === '.' ? 0 : Number(c)] as const)),
    spacing,
  );

function painted(from: Voxel, to: Voxel, radii: Voxel, shape: Shape3, flat?: Axis): Set<string> {
  const voxels = new Set<string>();
  brushRows(from, to, radii, shape, flat, (z, y, x0, x1) => {
    for (let x = x0; x < x1; x++) {
      assert.ok(!voxels.has(`${z} ${y} ${x}`), 'each voxel once');
      voxels.add(`${z} ${y} ${x}`);
    }
  });
  return voxels;
}

describe('brush', () => {
  it('of one pixel paints the pixel it stands on, of three a square, of five a round disc', () => {
    const shape: Shape3 = [1, 9, 9];
    const at: Voxel = [0, 4, 4];
    assert.deepEqual([...painted(at, at, brushRadii(1), shape, 0)], ['0 4 4']);
    assert.equal(painted(at, at, brushRadii(3), shape, 0).size, 9);
    assert.equal(painted(at, at, brushRadii(5), shape, 0).size, 21);
    assert.equal(painted([0, 0, 0], [0, 0, 0], brushRadii(5), shape, 0).size, 8);
    assert.equal(painted([0, 0, 0], [0, 8, 8], brushRadii(1), shape, 0).size, 9);
  });

  it('covers exactly the voxels within its radii of the way, in every plane and as a ball', () => {
    const next = random(11);
    const shape: Shape3 = [9, 14, 17];
    for (let n = 0; n < 150; n++) {
      const flat = ([0, 1, 2, undefined] as const)[n % 4];
      const voxel = () => shape.map((length) => Math.floor(next() * length)) as unknown as Voxel;
      const from = voxel();
      const to = [...voxel()] as [number, number, number];
      if (flat !== undefined) to[flat] = from[flat];
      const radii = [0.3 + next() * 2, 0.3 + next() * 5, 0.3 + next() * 5] as const;
      const expected = new Set<string>();
      const r = radii.map((radius) => Math.max(0.5, radius));
      const d = [0, 1, 2].map((a) => (to[a] - from[a]) / r[a]);
      const square = d[0] ** 2 + d[1] ** 2 + d[2] ** 2;
      let unsure = 0;
      for (let z = 0; z < shape[0]; z++) {
        for (let y = 0; y < shape[1]; y++) {
          for (let x = 0; x < shape[2]; x++) {
            const p = [z, y, x];
            if (flat !== undefined && p[flat] !== from[flat]) continue;
            const q = p.map((value, a) => (value - from[a]) / r[a]);
            const along = square === 0 ? 0 : (q[0] * d[0] + q[1] * d[1] + q[2] * d[2]) / square;
            const t = Math.min(1, Math.max(0, along));
            const distance = Math.hypot(q[0] - t * d[0], q[1] - t * d[1], q[2] - t * d[2]);
            if (Math.abs(distance - 1) < 1e-7) unsure++;
            if (distance <= 1 + 1e-9) expected.add(`${z} ${y} ${x}`);
          }
        }
      }
      const found = painted(from, to, radii, shape, flat);
      const differing = symmetric(found, expected);
      assert.ok(differing.length <= unsure, `${n}: ${differing.join(', ')}`);
    }
  });

  it('is round in space where voxels are not cubes', () => {
    assert.deepEqual(brushRadii(8, [2, 0.5, 1]), [1, 4, 2]);
  });
});

const symmetric = (a: Set<string>, b: Set<string>) => [
  ...[...a].filter((value) => !b.has(value)),
  ...[...b].filter((value) => !a.has(value)),
];

describe('polygon', () => {
  it('fills what lies inside by the even-odd rule, in every plane', () => {
    const next = random(5);
    const shape: Shape3 = [12, 13, 15];
    for (const [right, down] of [
      [2, 1],
      [2, 0],
      [0, 1],
    ] as const) {
      const across = (3 - right - down) as Axis;
      const points = Array.from({ length: 7 }, () => [next() * 16 - 2, next() * 16 - 2] as const);
      const found = new Set<string>();
      polygonRows(points, right, down, 4, shape, (z, y, x0, x1) => {
        for (let x = x0; x < x1; x++) found.add(`${z} ${y} ${x}`);
      });
      const expected = new Set<string>();
      for (let v = 0; v < shape[down]; v++) {
        for (let u = 0; u < shape[right]; u++) {
          let inside = false;
          points.forEach(([au, av], i) => {
            const [bu, bv] = points[(i + 1) % points.length];
            if (av <= v !== bv <= v && u < au + ((v - av) / (bv - av)) * (bu - au)) inside = !inside;
          });
          const voxel = [0, 0, 0];
          voxel[right] = u;
          voxel[down] = v;
          voxel[across] = 4;
          if (inside) expected.add(voxel.join(' '));
        }
      }
      assert.deepEqual([...found].sort(), [...expected].sort());
      assert.ok(found.size > 10);
    }
  });
});

describe('fill', () => {
  it('spreads by faces in one plane or in 3D', () => {
    const labels = volumeOf(
      [2, 3, 5],
      [
        [0, 1, 0, 5, 3],
        [1, 0, 0, 2, 3],
        [1, 1, 0, 2, 3],
      ],
    );
    const history = new LabelHistory(labels);
    history.run('2D', (edit) => assert.equal(floodFill(edit, [0, 0, 0], 7, 0), 5));
    assert.deepEqual(plane(labels), ['77777', '33333', '.....']);
    history.undo();
    history.run('3D', (edit) => floodFill(edit, [0, 0, 0], 7));
    assert.deepEqual(plane(labels), ['77777', '33333', '77777']);
    assert.deepEqual(plane(labels, 1), ['33777', '33777', '77777']);
    history.run('yz', (edit) => assert.equal(floodFill(edit, [0, 1, 1], 9, 2), 3));
    assert.deepEqual(plane(labels), ['77777', '39333', '77777']);
    assert.equal(
      history.run('same', (edit) => floodFill(edit, [0, 1, 1], 9, 2)),
      undefined,
    );
  });
});

describe('cells', () => {
  const scene = () => drawn(['11.2.', '..22.', '33..4']);
  it('merge, delete, change', () => {
    const labels = scene();
    const history = new LabelHistory(labels);
    history.run('Merge', (edit) => mergeLabels(edit, history.index, [4, 2, 4, 9]));
    assert.deepEqual(plane(labels), ['11.4.', '..44.', '33..4']);
    history.run('Delete', (edit) => deleteLabels(edit, history.index, [1, 3]));
    assert.deepEqual(plane(labels), ['...4.', '..44.', '....4']);
    assert.equal(history.index.size, 1);
    assert.throws(() => history.run('Bad', (edit) => changeLabel(edit, history.index, 4, 2 ** 32)), {
      kind: 'bad-input',
    });
  });
  it('find cells in a box, small ones and those at the border', () => {
    const labels = scene();
    const { index } = new LabelHistory(labels);
    assert.deepEqual(labelsInBox(labels, [0, 0, 0, 1, 2, 3]), [1, 2]);
    assert.deepEqual(smallLabels(index, 3), [1, 3, 4]);
    assert.deepEqual(borderLabels(index, labels.shape), [1, 2, 3, 4]);
    assert.deepEqual(borderLabels(index, labels.shape, [2]), [1, 3, 4]);
  });
  it('numbers cells without gaps, keeping their order', () => {
    const labels = drawn(['9.75', '9.7.', '2..5']);
    const history = new LabelHistory(labels);
    history.run('Relabel', (edit) => assert.equal(relabel(edit, history.index), 4));
    assert.deepEqual(plane(labels), ['4.32', '4.3.', '1..2']);
  });
});

describe('shape', () => {
  it('distances are exact for any spacing', () => {
    const next = random(2);
    const shape: Shape3 = [4, 6, 7];
    const spacing = [2, 0.7, 1.1];
    const mask = Uint8Array.from({ length: 168 }, () => (next() < 0.1 ? 1 : 0));
    for (const flat of [undefined, 0] as const) {
      const found = squaredDistance(mask, shape, spacing, 1, flat);
      for (let i = 0; i < 168; i++) {
        let best = Number.POSITIVE_INFINITY;
        for (let k = 0; k < 168; k++) {
          if (!mask[k]) continue;
          const d = [
            Math.floor(i / 42) - Math.floor(k / 42),
            (Math.floor(i / 7) % 6) - (Math.floor(k / 7) % 6),
            (i % 7) - (k % 7),
          ];
          if (flat === 0 && d[0] !== 0) continue;
          best = Math.min(
            best,
            d.reduce((sum, n, axis) => sum + (n * spacing[axis]) ** 2, 0),
          );
        }
        assert.ok(best === found[i] || Math.abs(best - found[i]) < 1e-9, `${i}: ${found[i]}, not ${best}`);
      }
    }
  });

  it('grow takes empty voxels within the radius, other cells stay', () => {
    const labels = drawn(['......', '..1.2.', '......']);
    const history = new LabelHistory(labels);
    history.run('Grow', (edit) => growLabel(edit, history.index, 1, 1.5, { spacing: [1, 1, 1] }));
    assert.deepEqual(plane(labels), ['.111..', '.1112.', '.111..']);
    history.goTo(0);
    history.run('Grow', (edit) => growLabel(edit, history.index, 1, 2, { spacing: [1, 4, 1] }));
    assert.deepEqual(plane(labels), ['......', '11112.', '......']);
  });

  it('shrink takes the rim but nothing at the border of the image, and never the whole cell', () => {
    const labels = drawn(['1111.', '1111.', '1111.', '.....', '...22']);
    const history = new LabelHistory(labels);
    history.run('Shrink', (edit) => {
      assert.equal(shrinkLabel(edit, history.index, 1, 1, { spacing: [1, 1, 1] }), true);
      assert.equal(shrinkLabel(edit, history.index, 2, 2, { spacing: [1, 1, 1] }), false);
    });
    assert.deepEqual(plane(labels), ['111..', '111..', '.....', '.....', '...22']);
  });

  it('smooth takes spikes away and fills notches', () => {
    const block = Array(6).fill('.11111111.');
    const labels = drawn(['..........', '..........', '....1.....', ...block, '..........']);
    labels.data[5 * 10 + 1] = 0;
    const history = new LabelHistory(labels);
    history.run('Smooth', (edit) => smoothLabel(edit, history.index, 1, 1, { spacing: [1, 1, 1] }));
    const rows = plane(labels);
    assert.equal(rows[2], '..........');
    assert.equal(rows[5], '.11111111.');
    assert.equal(rows[6], '.11111111.');
  });

  it('holes are filled in planes or in space, other cells inside stay', () => {
    const labels = drawn(['11111', '1.1.1', '11121', '1.111', '11.11']);
    const history = new LabelHistory(labels);
    history.run('Fill holes', (edit) => fillHoles(edit, history.index, 1, 0));
    assert.deepEqual(plane(labels), ['11111', '11111', '11121', '11111', '11.11']);
    const hollow = volumeOf(
      [3, 3, 3],
      [0, 1, 2].flatMap((z) => [0, 1, 2].map((y) => [z, y, 0, 3, 1] as const)),
    );
    hollow.data[13] = 0;
    hollow.data[4] = 0;
    const space = new LabelHistory(hollow);
    assert.equal(
      space.run('3D', (edit) => fillHoles(edit, space.index, 1)),
      undefined,
    );
    space.run('2D', (edit) => fillHoles(edit, space.index, 1, 0));
    assert.ok(hollow.data.every((label) => label === 1));
  });
});

describe('interpolation between planes', () => {
  it('passes from one outline to the other, along any axis', () => {
    const square = (z: number, from: number, to: number) =>
      Array.from({ length: to - from }, (_, k) => [z, from + k, from, to, 4] as const);
    const labels = volumeOf([7, 20, 20], [...square(0, 2, 18), ...square(4, 8, 12), ...square(6, 8, 12)]);
    const history = new LabelHistory(labels);
    history.run('Interpolate', (edit) => {
      assert.equal(interpolatePlanes(edit, history.index, 4, 0, [2, 1, 1]), 4);
    });
    const areas = [0, 1, 2, 3, 4, 5].map(
      (z) => labels.data.subarray(z * 400, z * 400 + 400).filter(Boolean).length,
    );
    // Halfway the square is 10 wide; its corners are cut, as distances to a corner are longer.
    assert.deepEqual([areas[0], areas[2], areas[4], areas[5]], [256, 96, 16, 16]);
    assert.ok(
      areas.every((area, z) => z === 0 || area <= areas[z - 1]),
      areas.join(' '),
    );
    assert.equal(history.undo()?.name, 'Interpolate');

    const lines = volumeOf(
      [1, 9, 5],
      [
        [0, 1, 1, 4, 2],
        [0, 7, 1, 4, 2],
      ],
    );
    const flat = new LabelHistory(lines);
    flat.run('Along y', (edit) => assert.equal(interpolatePlanes(edit, flat.index, 2, 1, [1, 1, 1]), 5));
    assert.deepEqual(plane(lines), ['.....', ...Array(7).fill('.222.'), '.....']);
  });
});

describe('split', () => {
  const rows = ['..........', '.11111111.', '.11111111.', '.22222222.'];
  it('cuts one cell along the line, the smaller part gets a new label', () => {
    const labels = drawn(rows);
    const history = new LabelHistory(labels);
    const line = [
      [5.5, 0.5],
      [5.5, 2.5],
    ] as const;
    history.run('Split', (edit) => {
      assert.equal(splitLabel(edit, history.index, 1, { line, right: 2, down: 1 }), 3);
    });
    assert.deepEqual(plane(labels), ['..........', '.11111333.', '.11111333.', '.22222222.']);
    const beside = {
      line: [
        [0, -5],
        [9, -5],
      ] as const,
      right: 2,
      down: 1,
    } as const;
    assert.throws(() => history.run('Split', (edit) => splitLabel(edit, history.index, 1, beside)), {
      kind: 'bad-input',
    });
    assert.equal(history.steps.length, 1);
  });

  it('follows a bent line, and cuts in one plane or through all', () => {
    const block = (z: number) => [0, 1, 2, 3].map((y) => [z, y, 0, 4, 1] as const);
    for (const depth of [undefined, 1]) {
      const labels = volumeOf([2, 4, 4], [...block(0), ...block(1)]);
      const history = new LabelHistory(labels);
      const line = [
        [-1, 1.5],
        [1.5, 1.5],
        [1.5, 4],
      ] as const;
      history.run('Split', (edit) => splitLabel(edit, history.index, 1, { line, right: 2, down: 1, depth }));
      const corner = ['1111', '1111', '2211', '2211'];
      assert.deepEqual(plane(labels, 1), corner);
      assert.deepEqual(plane(labels, 0), depth === undefined ? corner : Array(4).fill('1111'));
    }
  });
});
