import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  about,
  corners,
  DEFAULT_ROTATION,
  fittedOrbit,
  inverse,
  multiply,
  orbited,
  rotate,
} from '../../components/viewer/orbit-camera.ts';

const near = (a: readonly number[], b: readonly number[]) => {
  for (const [i, value] of a.entries()) assert.ok(Math.abs(value - b[i]) < 1e-9, `${a} and ${b}`);
};

describe('orbit camera', () => {
  it('turns about axes', () => {
    near(rotate(about([0, 0, 1], Math.PI / 2), [1, 0, 0]), [0, 1, 0]);
    const turn = multiply(about([1, 0, 0], 0.3), about([0, 1, 0], 0.7));
    near(rotate(inverse(turn), rotate(turn, [1, 2, 3])), [1, 2, 3]);
  });

  it('fits the scene whole into the pane', () => {
    const { scale } = fittedOrbit([100, 80, 60], 300, 200);
    for (const corner of corners([100, 80, 60])) {
      const [x, y] = rotate(DEFAULT_ROTATION, corner);
      assert.ok(Math.abs(x * scale) <= 150 && Math.abs(y * scale) <= 100);
    }
  });

  it('follows the pointer: the near side moves with it', () => {
    const camera = { rotation: about([1, 0, 0], 0), scale: 1, offset: [0, 0] as const };
    const [x] = rotate(orbited(camera, 10, 0, 100).rotation, [0, 0, -1]);
    assert.ok(x > 0, `${x}`);
    const [, y] = rotate(orbited(camera, 0, 10, 100).rotation, [0, 0, -1]);
    assert.ok(y > 0, `${y}`);
    assert.equal(orbited(camera, 0, 0, 100), camera);
  });
});
