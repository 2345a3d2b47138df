import { CytoError } from '../../../core/errors.ts';
import type { Shape3 } from '../../../core/volume.ts';
import { checkFollowParameters, foregroundIndices } from '../masks/follow-flows.ts';
import { copyOf } from '../masks/shape.ts';
import { type Arena, FOLLOW_CHUNK, FOLLOW_SCRATCH, type Prepared } from './kernel-job.ts';
import type { FollowParameters } from './kernels.ts';

/**
 * A box of a larger volume whose points are followed by themselves. Positions are computed in the coordinates of the
 * whole, so that points end where they end when the whole is followed at once.
 */
export interface FlowPart {
  /** Lengths of z, y, x of the whole. */
  whole: Shape3;
  /** First voxel of the box and its lengths. */
  origin: Shape3;
  lengths: Shape3;
  /** Float32 [z, y, x] of the box: dZ, dY, dX (about 5 × unit flow) and cellprob. */
  flows: readonly [dZ: Float32Array, dY: Float32Array, dX: Float32Array];
  cellprob: Float32Array;
  /** The voxels whose points are followed, half-open, in coordinates of the whole, inside the box. */
  from: Shape3;
  to: Shape3;
  /** Only these of them, row-major voxels of the whole; absent: all above the threshold. */
  points?: Int32Array;
}

export interface FollowedPart {
  /** Row-major voxels of the whole above the threshold, ascending, and those in which their points ended. */
  index: Int32Array;
  ends: Int32Array;
  /** Number of points whose way met the border of the box: their ends are -1, a larger box is needed. */
  strayed: number;
}

/** Any share of this flow, however small, leads out of the volume. */
const FAR = 1e30;

/** Lays out the following of a part. @throws CytoError `bad-input` for flows that are not finite, `too-large` */
export function prepareFollowPart(
  arena: Arena,
  part: FlowPart,
  parameters: FollowParameters,
  threads: number,
): Prepared<FollowedPart> {
  checkFollowParameters(parameters);
  const { cellprobThreshold, niter } = parameters;
  const { whole, origin, lengths, flows, from, to } = part;
  const [bz, by, bx] = lengths;
  const foreground = foregroundIndices(part.cellprob, cellprobThreshold);
  const fieldLength = 3 * (bz + 2) * (by + 2) * (bx + 2) + 4;
  const inside = (z: number, y: number, x: number) =>
    z >= from[0] && z < to[0] && y >= from[1] && y < to[1] && x >= from[2] && x < to[2];
  const place = (i: number) => {
    const z = (i / (by * bx)) | 0;
    const y = ((i - z * by * bx) / bx) | 0;
    return [z, y, i - (z * by + y) * bx] as const;
  };
  let total = part.points?.length ?? 0;
  for (let k = 0; !part.points && k < foreground.length; k++) {
    const [z, y, x] = place(foreground[k]);
    if (inside(z + origin[0], y + origin[1], x + origin[2])) total++;
  }
  arena.reset(4 * fieldLength + 8 * total + FOLLOW_SCRATCH * threads + 80);
  const at = {
    field: arena.take(4 * fieldLength),
    index: arena.take(4 * total),
    ends: arena.take(4 * total),
    scratch: arena.take(FOLLOW_SCRATCH * threads),
  };
  const { buffer } = arena.memory;
  const field = new Float32Array(buffer, at.field, fieldLength).fill(0);
  new Uint8Array(buffer, at.scratch, FOLLOW_SCRATCH * threads).fill(0);
  const points = new Int32Array(buffer, at.index, total);
  const steps = whole.map((n) => Math.fround(2 / (n - 1)));
  for (let k = 0, n = 0; k < foreground.length; k++) {
    const [z, y, x] = place(foreground[k]);
    const to = (((z + 1) * (by + 2) + y + 1) * (bx + 2) + x + 1) * 3;
    for (let axis = 0; axis < 3; axis++) {
      if (whole[axis] === 1) continue;
      const flow = flows[axis][foreground[k]];
      if (!Number.isFinite(flow)) {
        throw new CytoError(
          'bad-input',
          `The flow at voxel [${z + origin[0]}, ${y + origin[1]}, ${x + origin[2]}] is not a finite number. The network's output is unusable.`,
        );
      }
      field[to + axis] = Math.fround(Math.fround(flow / 5) * steps[axis]);
    }
    const [wz, wy, wx] = [z + origin[0], y + origin[1], x + origin[2]];
    if (!part.points && inside(wz, wy, wx)) points[n++] = (wz * whole[1] + wy) * whole[2] + wx;
  }
  if (part.points) points.set(part.points);
  markBorder(field, whole, origin, lengths);
  return {
    jobs: [
      {
        kernel: 'follow3d',
        args: [at.field, at.index, at.ends, 0, at.scratch, total, ...whole, ...origin, ...lengths, niter],
        total,
        chunk: FOLLOW_CHUNK,
        scratch: { argument: 4, bytes: FOLLOW_SCRATCH },
      },
    ],
    result: () => {
      const { buffer } = arena.memory;
      const index = copyOf(new Int32Array(buffer, at.index, total));
      const ends = copyOf(new Int32Array(buffer, at.ends, total));
      const area = whole[1] * whole[2];
      // A long step may rest in the outermost voxels themselves, at a sampling point outside the box.
      const least = origin.map((at) => (at > 0 ? at + 1 : 0));
      const most = origin.map((at, axis) =>
        at + lengths[axis] < whole[axis] ? at + lengths[axis] - 2 : whole[axis] - 1,
      );
      let strayed = 0;
      for (let k = 0; k < total; k++) {
        const z = (ends[k] / area) | 0;
        const y = ((ends[k] - z * area) / whole[2]) | 0;
        const x = ends[k] - z * area - y * whole[2];
        const stayed =
          z >= least[0] && z <= most[0] && y >= least[1] && y <= most[1] && x >= least[2] && x <= most[2];
        if (stayed) continue;
        ends[k] = -1;
        strayed++;
      }
      return { index, ends, strayed };
    },
  };
}

/**
 * In the outermost voxels of the box, where it does not end with the whole, flows lead far outside: a point that ever
 * takes the least part of them leaves the box at once and stays outside, so that it can be told from the others.
 */
function markBorder(field: Float32Array, whole: Shape3, origin: Shape3, lengths: Shape3): void {
  const [, by, bx] = lengths;
  const strides = [(by + 2) * (bx + 2) * 3, (bx + 2) * 3, 3];
  for (let axis = 0; axis < 3; axis++) {
    const [a, b] = [0, 1, 2].filter((other) => other !== axis);
    const faces: Array<[at: number, flow: number]> = [];
    if (origin[axis] > 0) faces.push([1, -FAR]);
    if (origin[axis] + lengths[axis] < whole[axis]) faces.push([lengths[axis], FAR]);
    for (const [at, flow] of faces) {
      for (let i = 1; i <= lengths[a]; i++) {
        for (let j = 1; j <= lengths[b]; j++) {
          field[at * strides[axis] + i * strides[a] + j * strides[b] + axis] = flow;
        }
      }
    }
  }
}
