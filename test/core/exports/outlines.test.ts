import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { unzipSync } from 'fflate';
import { labelGeoJson, labelsFromGeoJson } from '../../../core/exports/geojson.ts';
import { labelRoiZip, labelsFromRois } from '../../../core/exports/imagej-rois.ts';
import { labelOutlines } from '../../../core/exports/outlines.ts';
import type { Shape3 } from '../../../core/volume.ts';
import { readImagejRois } from '../../../workers/io/imagej-roi.ts';
import { openImage } from '../../../workers/io/open.ts';

/** Mulberry32, so that a failure can be had again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Noise of few labels has every kind of hole, nesting and touch at corners; blocks make larger pieces of it. */
function noise(shape: Shape3, seed: number): Uint32Array {
  const next = random(seed);
  const [nz, ny, nx] = shape;
  const kinds = 1 + Math.floor(next() * 4);
  const block = 1 + Math.floor(next() * 3);
  const ids = Array.from({ length: kinds + 1 }, (_, k) =>
    k === 0 ? 0 : 1 + Math.floor(next() * 0xffff_fff0),
  );
  const labels = new Uint32Array(nz * ny * nx);
  for (let z = 0; z < nz; z++) {
    const cells = Array.from({ length: ny * nx }, () => ids[Math.floor(next() * ids.length)]);
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++) {
        labels[(z * ny + y) * nx + x] = cells[Math.floor(y / block) * nx + Math.floor(x / block)];
      }
    }
  }
  return labels;
}

async function throughRois(labels: Uint32Array, shape: Shape3): Promise<Uint32Array> {
  const zip = labelRoiZip(labels, shape, { software: 'test' });
  const rois = await readImagejRois({ name: 'rois.zip', blob: new Blob([zip as Uint8Array<ArrayBuffer>]) });
  return labelsFromRois(rois, shape);
}

it('a zip of ROIs holds ROIs alone, and its provenance as the comment', () => {
  const zip = labelRoiZip(Uint32Array.of(1, 0, 2, 2), [1, 2, 2], { model: 'µ-net', edits: 3 });
  assert.deepEqual(Object.keys(unzipSync(zip)), ['1.roi', '2.roi']);
  const comment = new TextEncoder().encode('model: µ-net\nedits: 3\n');
  assert.deepEqual(zip.subarray(-comment.length), comment);
  assert.equal(new DataView(zip.buffer).getUint16(zip.length - comment.length - 2, true), comment.length);
});

describe('labels → outlines → labels is the identity', () => {
  const shapes: Shape3[] = [
    [1, 7, 9],
    [1, 16, 16],
    [3, 9, 8],
    [1, 1, 12],
  ];
  for (const shape of shapes) {
    it(`GeoJSON and ImageJ ROIs, noise of ${shape.join(' × ')}`, async () => {
      for (let seed = 1; seed <= 60; seed++) {
        const labels = noise(shape, seed);
        if (!labels.some(Boolean)) continue;
        assert.deepEqual(labelsFromGeoJson(labelGeoJson(labels, shape), shape), labels, `seed ${seed}`);
        assert.deepEqual(await throughRois(labels, shape), labels, `seed ${seed}`);
      }
    });
  }

  it('real nuclei, plane and stack', async () => {
    for (const name of ['nuclei-2d-labels.png', 'embryo-3d-labels.tif']) {
      const bytes = await readFile(new URL(`../../../demo/data/${name}`, import.meta.url));
      const source = await openImage({ name, path: name, blob: new Blob([bytes]) });
      const volume = await source.readVolume();
      const shape = volume.shape.slice(2) as unknown as Shape3;
      const labels = Uint32Array.from(volume.data);
      assert.deepEqual(labelsFromGeoJson(labelGeoJson(labels, shape), shape), labels);
      assert.deepEqual(await throughRois(labels, shape), labels);
    }
  });

  it('beyond the 16 bits of ImageJ coordinates', async () => {
    const shape: Shape3 = [1, 2, 40_000];
    const labels = new Uint32Array(80_000);
    labels.fill(7, 33_000, 33_010);
    labels[73_005] = 7;
    labels[39_999] = 9;
    assert.deepEqual(await throughRois(labels, shape), labels);
  });
});

describe('outlines', () => {
  it('are rings whose corners come once, holes inside their outline', () => {
    for (let seed = 1; seed <= 100; seed++) {
      for (const { polygons } of labelOutlines(noise([1, 12, 12], seed), [1, 12, 12])) {
        for (const { outer, holes } of polygons) {
          for (const ring of [outer, ...holes]) {
            assert.equal(new Set(ring.map(String)).size, ring.length);
            ring.forEach(([x, y], k) => {
              const [nextX, nextY] = ring[(k + 1) % ring.length];
              assert.ok((x === nextX) !== (y === nextY), 'along pixel edges');
            });
          }
        }
      }
    }
  });

  it('of a ring of pixels is one polygon with one hole', () => {
    const labels = Uint32Array.from('111101111'.split(''), Number);
    const [{ polygons }] = [...labelOutlines(labels, [1, 3, 3])];
    assert.deepEqual(polygons, [
      {
        outer: [
          [3, 0],
          [3, 3],
          [0, 3],
          [0, 0],
        ],
        holes: [
          [
            [2, 2],
            [2, 1],
            [1, 1],
            [1, 2],
          ],
        ],
      },
    ]);
  });
});

describe('areas of other programs', () => {
  it('GeoJSON without names gets free numbers; damaged files are named', () => {
    const square = (x: number, name?: string) => ({
      type: 'Feature',
      geometry: {
        type: 'Polygon',
        coordinates: [
          [
            [x, 0],
            [x + 1.2, 0],
            [x + 1.2, 1],
            [x, 1],
            [x, 0],
          ],
        ],
      },
      properties: name ? { name } : {},
    });
    const text = JSON.stringify([square(0), square(2, '1'), square(4, 'Tumour')]);
    assert.deepEqual([...labelsFromGeoJson(text, [1, 1, 6])], [2, 0, 1, 0, 3, 0]);
    assert.throws(() => labelsFromGeoJson('{', [1, 1, 1]), /no valid JSON/);
    assert.throws(
      () => labelsFromGeoJson('{"type":"FeatureCollection","features":[]}', [1, 1, 1]),
      /no areas/,
    );
  });
});
