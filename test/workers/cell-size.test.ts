import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseLooks, diameterToUse } from '../../workers/segmentation/cell-size.ts';
import { percentileMap } from '../../workers/segmentation/preprocess/normalise.ts';

const RULE = { below: 24, above: 60 };

describe('size of the cells', () => {
  it('leaves images alone whose cells the network likes, or that show too few', () => {
    assert.equal(diameterToUse(30, RULE, 30), undefined);
    assert.equal(diameterToUse(24, RULE, 30), undefined);
    assert.equal(diameterToUse(undefined, RULE, 30), undefined);
  });

  it('scales to the mean, enlarging at most twice', () => {
    assert.equal(diameterToUse(20, RULE, 30), 20);
    assert.equal(diameterToUse(90, RULE, 30), 90);
    assert.equal(diameterToUse(7, RULE, 30), 15);
  });

  it('looks at a small plane as a whole', () => {
    const samples = new Uint8Array(700 * 900).map((_, i) => i % 251);
    const maps = [percentileMap(samples, [1, 700, 900])];
    assert.deepEqual(chooseLooks([samples], maps, [1, 700, 900]), [
      { z: 0, y: 0, x: 0, height: 700, width: 900 },
    ]);
  });

  it('looks where there is something to see, a megapixel at most', () => {
    const [ny, nx] = [1100, 3000];
    const samples = new Uint16Array(ny * nx).fill(100);
    for (let y = 800; y < ny; y++) {
      for (let x = 2400; x < nx; x++) samples[y * nx + x] = (x >> 3) % 2 ? 4000 : 100;
    }
    const looks = chooseLooks([samples], [percentileMap(samples, [1, ny, nx])], [1, ny, nx]);
    assert.ok(looks[0].y >= 500 && looks[0].x >= 1500, JSON.stringify(looks[0]));
    assert.ok(looks.reduce((sum, { height, width }) => sum + height * width, 0) <= 1 << 20);
    for (const { y, x, height, width } of looks) assert.ok(y + height <= ny && x + width <= nx);
  });

  it('looks at the planes of a stack that have most contrast', () => {
    const [nz, ny, nx] = [31, 60, 50];
    const samples = new Uint16Array(nz * ny * nx).fill(100);
    for (let z = 20; z < nz; z++)
      for (let i = 0; i < ny * nx; i++) samples[z * ny * nx + i] = (i >> 3) % 2 ? 4000 : 100;
    const looks = chooseLooks([samples], [percentileMap(samples, [nz, ny, nx])], [nz, ny, nx]);
    assert.equal(looks.length, 3);
    for (const { z, height, width } of looks) assert.ok(z >= 20 && height === ny && width === nx);
    assert.equal(new Set(looks.map(({ z }) => z)).size, 3);
  });
});
