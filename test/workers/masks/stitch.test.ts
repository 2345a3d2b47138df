import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxLabel, stitchPlanes } from '../../../workers/segmentation/masks/index.ts';
import { randomOf } from '../kernels-comparison.ts';

/** The rule of stitching, word for word, on a dense matrix of IoUs. */
function stitchedByRule(planes: readonly Uint32Array[], threshold: number): Uint32Array[] {
  const out = [planes[0].slice()];
  let used = maxLabel(planes[0]);
  for (let z = 1; z < planes.length; z++) {
    const [upper, lower] = [out[z - 1], planes[z]];
    const [columns, rows] = [maxLabel(upper), maxLabel(lower)];
    const share = (a: number, b: number) => {
      const common = lower.filter((label, i) => label === b && upper[i] === a).length;
      const one = upper.filter((label) => label === a).length + lower.filter((label) => label === b).length;
      const iou = common / (one - common);
      return iou >= threshold ? iou : 0;
    };
    const iou = Array.from({ length: rows }, (_, b) =>
      Array.from({ length: columns }, (_, a) => share(a + 1, b + 1)),
    );
    const best = Array.from({ length: columns }, (_, a) => Math.max(0, ...iou.map((row) => row[a])));
    const ids = iou.map((row) => {
      const kept = row.map((value, a) => (value < best[a] ? 0 : value));
      const most = Math.max(0, ...kept);
      return most > 0 ? kept.indexOf(most) + 1 : ++used;
    });
    out.push(lower.map((label) => (label === 0 ? 0 : ids[label - 1])));
  }
  return out;
}

test('planes are stitched by the rule, in place or not, twins of one cell included', () => {
  let twins = 0;
  for (let seed = 0; seed < 150; seed++) {
    const random = randomOf(seed);
    const draw = (n: number) => Math.floor(random() * n);
    const [nz, ny, nx] = [2 + draw(4), 4 + draw(12), 4 + draw(12)];
    const planes = Array.from({ length: nz }, () => {
      const plane = new Uint32Array(ny * nx);
      for (let label = draw(8); label > 0; label--) {
        const [y0, x0, height, width] = [draw(ny), draw(nx), 1 + draw(7), 1 + draw(7)];
        for (let y = y0; y < Math.min(ny, y0 + height); y++)
          plane.fill(label, y * nx + x0, y * nx + Math.min(nx, x0 + width));
      }
      return plane;
    });
    const stack = Uint32Array.from(planes.flatMap((plane) => [...plane]));
    const kept = stack.slice();
    const threshold = [0, 0.25, 1 / 3, 0.5, 1][seed % 5];
    const expected = stitchedByRule(planes, threshold).map((plane) => [...plane]);
    assert.deepEqual([...stitchPlanes(stack, [nz, ny, nx], threshold)], expected.flat(), `set ${seed}`);
    assert.deepEqual(stack, kept, 'the planes are left alone');
    assert.equal(stitchPlanes(stack, [nz, ny, nx], threshold, { inPlace: true }), stack);
    assert.deepEqual([...stack], expected.flat(), `set ${seed} in place`);
    planes.forEach((plane, z) => {
      if (new Set(plane).size > new Set(expected[z]).size) twins++;
    });
  }
  assert.ok(twins > 0, 'two labels of a plane that continue the same cell equally well occur');
});
