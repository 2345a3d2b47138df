import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runTiles, type TileNetwork } from '../../workers/segmentation/preprocess/run-tiles.ts';
import { planTiles } from '../../workers/segmentation/preprocess/tiles.ts';

const WHOLE = { overlap: 0.1, augment: false };
const SIDES = { step: 32, largest: 544 };
const area = ({ tiles, tileHeight, tileWidth }: ReturnType<typeof planTiles>) =>
  tiles.length * tileHeight * tileWidth;

test('few tiles cover every plane, overlap as whole tiles do and never cost more than them', () => {
  for (let length = 1; length < 3000; length += length < 700 ? 1 : 13) {
    const few = planTiles(length, 40, 256, { ...WHOLE, sides: SIDES });
    const whole = planTiles(length, 40, 256, WHOLE);
    assert.ok(few.tileHeight % 32 === 0 && few.tileHeight <= 544, `side ${few.tileHeight} for ${length}`);
    assert.equal(few.rows[0], 0);
    assert.equal(few.rows.at(-1), few.paddedHeight - few.tileHeight);
    assert.ok(few.top >= 8 && few.paddedHeight - few.top - length >= 8);
    few.rows.slice(1).forEach((start, i) => {
      assert.ok(few.rows[i] + few.tileHeight - start >= 42, `tiles of ${length} pixels share too little`);
    });
    assert.ok(area(few) <= area(whole), `${length} pixels take ${area(few)}, whole tiles ${area(whole)}`);
  }
});

test('a plane that fits in one tile is that tile of the network, unchanged', async () => {
  const [height, width] = [300, 210];
  const plane = Float32Array.from({ length: height * width }, (_, i) => Math.sin(i / 17));
  const called: string[] = [];
  const network: TileNetwork = async (tiles, batch, h, w) => {
    called.push(`${batch}×${h}×${w}`);
    return tiles.slice();
  };
  const options = { tile: 256, batch: 1, ...WHOLE, sides: SIDES };
  const out = await runTiles([plane], height, width, network, options);
  assert.deepEqual(called, ['1×320×256']);
  plane.forEach((value, i) => {
    assert.ok(Math.abs(out[i] - value) < 1e-6);
  });
});

test('flipped tiles are whole', () => {
  const options = { overlap: 0.1, augment: true };
  assert.deepEqual(planTiles(300, 210, 256, { ...options, sides: SIDES }), planTiles(300, 210, 256, options));
});
