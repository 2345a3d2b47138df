/** Orientation as a unit quaternion [x, y, z, w]. */
export type Quaternion = readonly [x: number, y: number, z: number, w: number];
/** Vector in the order x, y, z. */
export type Xyz = readonly [x: number, y: number, z: number];

/** A parallel view onto the scene from any side. */
export interface OrbitCamera {
  /** Turns the scene before it is looked at along +z with x to the right and y downwards. */
  rotation: Quaternion;
  /** CSS pixels per physical unit. */
  scale: number;
  /** Shift of the scene's middle from the pane's middle, CSS pixels. */
  offset: readonly [x: number, y: number];
}

/** From in front, above and a little to the left: three faces of the stack are seen. */
export const DEFAULT_ROTATION: Quaternion = multiply(
  about([1, 0, 0], (25 * Math.PI) / 180),
  about([0, 1, 0], (-30 * Math.PI) / 180),
);

/** Rotation by `angle` radians about a unit axis. */
export function about(axis: Xyz, angle: number): Quaternion {
  const s = Math.sin(angle / 2);
  return [axis[0] * s, axis[1] * s, axis[2] * s, Math.cos(angle / 2)];
}

/** The rotation `b` followed by `a`. */
export function multiply(a: Quaternion, b: Quaternion): Quaternion {
  const [ax, ay, az, aw] = a;
  const [bx, by, bz, bw] = b;
  const q = [
    aw * bx + ax * bw + ay * bz - az * by,
    aw * by - ax * bz + ay * bw + az * bx,
    aw * bz + ax * by - ay * bx + az * bw,
    aw * bw - ax * bx - ay * by - az * bz,
  ];
  const length = Math.hypot(...q);
  return q.map((value) => value / length) as unknown as Quaternion;
}

export function rotate([x, y, z, w]: Quaternion, v: Xyz): Xyz {
  const tx = 2 * (y * v[2] - z * v[1]);
  const ty = 2 * (z * v[0] - x * v[2]);
  const tz = 2 * (x * v[1] - y * v[0]);
  return [v[0] + w * tx + y * tz - z * ty, v[1] + w * ty + z * tx - x * tz, v[2] + w * tz + x * ty - y * tx];
}

/** The inverse rotation. */
export function inverse([x, y, z, w]: Quaternion): Quaternion {
  return [-x, -y, -z, w];
}

/** The camera turned as a ball under the pointer that moved by CSS pixels. */
export function orbited(camera: OrbitCamera, dx: number, dy: number, radius: number): OrbitCamera {
  const distance = Math.hypot(dx, dy);
  if (distance === 0) return camera;
  const turn = about([dy / distance, -dx / distance, 0], distance / radius);
  return { ...camera, rotation: multiply(turn, camera.rotation) };
}

/** The camera that shows a scene of the given size [x, y, z] whole from every side. */
export function fittedOrbit(
  extent: Xyz,
  width: number,
  height: number,
  rotation = DEFAULT_ROTATION,
): OrbitCamera {
  const half = corners(extent).map((corner) => rotate(rotation, corner));
  const spanX = 2 * Math.max(...half.map(([x]) => Math.abs(x)));
  const spanY = 2 * Math.max(...half.map(([, y]) => Math.abs(y)));
  // Room for the names of the axes.
  const scale = Math.min(0.9, 1 - 44 / Math.min(width, height)) * Math.min(width / spanX, height / spanY);
  return { rotation, scale: Number.isFinite(scale) && scale > 0 ? scale : 1, offset: [0, 0] };
}

/** Corners of a box of the given size about the origin; bit 0 of the index is x, bit 1 y, bit 2 z. */
export function corners(extent: Xyz): Xyz[] {
  return Array.from({ length: 8 }, (_, i) => [
    ((i & 1) - 0.5) * extent[0],
    (((i >> 1) & 1) - 0.5) * extent[1],
    (((i >> 2) & 1) - 0.5) * extent[2],
  ]);
}
