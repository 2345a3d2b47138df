import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  PLANE_AXES,
  type Plane,
  sceneExtent,
  type Vec3,
  voxelAt,
  voxelMiddle,
} from '../../components/viewer/plane.ts';
import {
  fitted,
  panned,
  screenToWorld,
  worldToScreen,
  zoomedAt,
} from '../../components/viewer/plane-camera.ts';

const size = { width: 400, height: 300 };
const camera = { center: [10, 20, 30] as Vec3, scale: 4 };
const near = (a: readonly number[], b: readonly number[]) => {
  for (const [i, value] of a.entries()) assert.ok(Math.abs(value - b[i]) < 1e-9, `${a} and ${b}`);
};

describe('camera of a plane', () => {
  for (const plane of ['xy', 'xz', 'yz'] as Plane[]) {
    it(`${plane}: screen and world are inverse to one another`, () => {
      const { across } = PLANE_AXES[plane];
      const world: Vec3 = [3, 14, 15];
      near(
        screenToWorld(camera, plane, size, worldToScreen(camera, plane, size, world), world[across]),
        world,
      );
    });

    it(`${plane}: zooming keeps the point under the pointer, panning follows it`, () => {
      const point = [37, 251] as const;
      const before = screenToWorld(camera, plane, size, point, 0);
      near(screenToWorld(zoomedAt(camera, plane, size, point, 1.7), plane, size, point, 0), before);
      const moved = panned(camera, plane, 12, -5);
      near(screenToWorld(moved, plane, size, [point[0] + 12, point[1] - 5], 0), before);
    });
  }

  it('shows the middle in the middle, x to the right and y downwards', () => {
    assert.deepEqual(worldToScreen(camera, 'xy', size, [0, 20, 30]), [200, 150]);
    assert.deepEqual(worldToScreen(camera, 'xy', size, [0, 21, 31]), [204, 154]);
  });

  it('fits anisotropic scenes by their physical size', () => {
    const extent = sceneExtent({ shape: [51, 120, 122], spacing: [1.75, 0.8, 0.8] });
    near(extent, [89.25, 96, 97.6]);
    const fit = fitted(extent, [{ plane: 'xy', size }], 0);
    assert.equal(fit.scale, 300 / 96);
    const linked = fitted(extent, [
      { plane: 'xy', size },
      { plane: 'xz', size: { width: 400, height: 100 } },
    ]);
    assert.equal(linked.scale, (100 / 89.25) * 0.96);
  });

  it('survives panes without size', () => {
    assert.equal(fitted([1, 1, 1], [{ plane: 'xy', size: { width: 0, height: 0 } }], 0).scale, 1);
  });

  it('finds voxels by their extent', () => {
    assert.deepEqual(voxelAt([1.8, 0.79, 0.8], [1.75, 0.8, 0.8]), [1, 0, 1]);
    assert.deepEqual(voxelAt(voxelMiddle([3, 4, 5], [1.75, 0.8, 0.8]), [1.75, 0.8, 0.8]), [3, 4, 5]);
  });
});
