import type { Dims, Layout } from '../../core/viewer-model.ts';
import { type PaneKind, sceneExtent } from './plane.ts';

/** The panes of each layout, row by row. */
export const PANES: Record<Layout, readonly PaneKind[]> = {
  xy: ['xy'],
  xz: ['xz'],
  yz: ['yz'],
  '3d': ['3d'],
  ortho: ['xy', 'yz', 'xz', '3d'],
  quad: ['xy', 'yz', 'xz', '3d'],
};

/** Share of the width (or height) that a side plane of the ortho layout gets at least and at most. */
const SIDE_SHARE = [0.28, 0.5] as const;

/** The `grid-template` that gives the planes of the ortho layout boxes of about the shape of the scene. */
export function orthoTemplate(dims: Pick<Dims, 'shape' | 'spacing'>): string {
  const [z, y, x] = sceneExtent(dims);
  const share = (side: number, main: number) =>
    Math.min(Math.max(side / (side + main), SIDE_SHARE[0]), SIDE_SHARE[1]);
  const right = share(z, x);
  const below = share(z, y);
  return `minmax(0, ${1 - below}fr) minmax(0, ${below}fr) / minmax(0, ${1 - right}fr) minmax(0, ${right}fr)`;
}
