import { throwIfAborted } from '../../core/errors.ts';
import { DEFAULT_PARAMETERS, type SegmentationParameters } from '../../core/segmentation-parameters.ts';
import type { Shape3, VolumeData } from '../../core/volume.ts';
import { lengthsOf, mapAxes, type VoxelBox, withAxis } from '../../core/voxel-box.ts';
import { contrastOf, type Look } from './cell-size.ts';
import type { MaskKernels } from './kernels/kernels.ts';
import { MaskPipeline } from './masks/mask-pipeline.ts';
import { maxLabel } from './masks/renumber.ts';
import { maskParameters, scaleOf } from './parameters.ts';
import type { SampleMap } from './preprocess/normalise.ts';
import { planeWork, type RunTilesOptions, runTiles, type TileNetwork } from './preprocess/run-tiles.ts';
import { planesAcross, VIEWS, type View } from './preprocess/three-views.ts';
import { viewPlan } from './run-plan.ts';
import { PlaneReader } from './volume/plane-reader.ts';

/** Longest sides, in pixels that the network sees before z is stretched, of what is looked at. */
const MOST_DEPTH = 256;
const MOST_SIDE = 512;

/** Planes that are looked at in each of the two views across z, and strips of the xy plane among which they are chosen. */
const PLANES = 4;
const STRIPS = 16;

/**
 * How much z is stretched at the first look. Cells that are twice as wide as high look round then: unstretched, the
 * network takes flat cells on top of each other for one.
 */
const FIRST_STRETCH = 2;

/** Cells that look higher than the stretch by this factor are looked at again, with the stretch that was found. */
const CLOSE = 1.25;
const MOST_LOOKS = 3;

/** Less than this in both views together or in one of them, or fewer cells, is no evidence: blur and chance do as much. */
const CLEAR = { both: 1.25, one: 1.15 };
const LEAST_CELLS = 12;

/** Largest ratio that is taken for possible. */
const MOST_ANISOTROPY = 8;

/** A plane across z that is looked at, with its neighbours: the middle one of a slab. */
export interface Slab {
  view: View;
  box: VoxelBox;
}

/** Reads the samples [z, y, x] of a box, one array per channel. */
export type ReadBox = (box: VoxelBox) => Promise<readonly VolumeData[]> | readonly VolumeData[];

/**
 * Where to look across z: through the places where a plane has most contrast, four planes in each of the two views.
 * @param channels samples of some planes [z, y, x], of which `look.z` is one
 * @param look the part of a plane with most contrast
 * @param z number in the stack of that plane
 * @param shape of the stack
 */
export function chooseSlabs(
  channels: readonly VolumeData[],
  maps: readonly SampleMap[],
  look: Look,
  { z, shape }: { z: number; shape: Shape3 },
  parameters: SegmentationParameters,
): Slab[] {
  const scale = scaleOf(parameters);
  const centre = [z, look.y + (look.height >> 1), look.x + (look.width >> 1)];
  const window = [shape[0], look.height, look.width];
  const lengths = mapAxes(shape, (_, axis) =>
    Math.min(window[axis], Math.max(1, Math.floor((axis === 0 ? MOST_DEPTH : MOST_SIDE) / scale))),
  );
  const from = mapAxes(lengths, (length, axis) =>
    Math.min(shape[axis] - length, Math.max(0, centre[axis] - (length >> 1))),
  );
  const to = mapAxes(from, (start, axis) => start + lengths[axis]);
  const reach = Math.ceil(3 * parameters.planeSmoothing);
  return VIEWS.slice(1).flatMap((view) => {
    const [axis] = view.axes;
    const strips = Math.min(STRIPS, lengths[axis]);
    const found = Array.from({ length: strips }, (_, k) => {
      const start = from[axis] + Math.floor((k * lengths[axis]) / strips);
      const end = from[axis] + Math.floor(((k + 1) * lengths[axis]) / strips);
      const strip =
        axis === 1
          ? { z: look.z, y: start, x: from[2], height: end - start, width: lengths[2] }
          : { z: look.z, y: from[1], x: start, height: lengths[1], width: end - start };
      return { at: (start + end) >> 1, contrast: contrastOf(channels, maps, shape, strip) };
    });
    found.sort((a, b) => b.contrast - a.contrast);
    return found.slice(0, PLANES).map(({ at }) => {
      // As many on either side, so that the plane stays the middle one.
      const side = Math.min(reach, at, shape[axis] - 1 - at);
      return { view, box: { from: withAxis(from, axis, at - side), to: withAxis(to, axis, at + side + 1) } };
    });
  });
}

/** Tiles the network is run on in the first look. */
export function tilesOfSlabs(
  slabs: readonly Slab[],
  parameters: SegmentationParameters,
  options: RunTilesOptions,
): number {
  return slabs.reduce((sum, { view, box }) => {
    const { grid } = viewPlan(lengthsOf(box), { ...parameters, anisotropy: FIRST_STRETCH });
    return sum + planeWork(grid[view.axes[1]], grid[view.axes[2]], options).tiles;
  }, 0);
}

/**
 * How often one comes from one cell or background into another, per step from pixel to pixel. In a plane, the ratio of
 * both tells how much longer cells are one way than the other, also of cells that the plane's edge cuts.
 * @param labels Uint32 [height, width]
 */
export function crossings(
  labels: Uint32Array,
  height: number,
  width: number,
): { down: number; across: number } {
  let [down, across] = [0, 0];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (x + 1 < width && labels[i] !== labels[i + 1]) across++;
      if (y + 1 < height && labels[i] !== labels[i + width]) down++;
    }
  }
  return {
    down: down / Math.max(1, (height - 1) * width),
    across: across / Math.max(1, height * (width - 1)),
  };
}

/** What a look across z has shown. */
export interface AcrossSeen {
  cells: number;
  /** How many times wider than high cells are, in voxels, in the ZX and in the ZY planes; NaN where there are none. */
  ratios: [zx: number, zy: number];
}

/**
 * The z step over the xy step of an image that does not tell it, on the assumption that its cells are as high as they are
 * wide: what the network is trained for. Cells that are flat by nature are stretched as well, which it likes too.
 * @returns undefined if that is not clear or the cells are not flat: the ratio is best taken as 1
 */
export function anisotropySeen({ cells, ratios }: AcrossSeen): number | undefined {
  const mean = Math.sqrt(ratios[0] * ratios[1]);
  if (cells < LEAST_CELLS || !(mean >= CLEAR.both && Math.min(...ratios) >= CLEAR.one)) return undefined;
  return Math.min(MOST_ANISOTROPY, Number(mean.toFixed(2)));
}

/** The planes to look at, and what segments them. */
export interface AcrossLook {
  read: ReadBox;
  maps: readonly SampleMap[];
  slabs: readonly Slab[];
  network: TileNetwork;
  tiles: RunTilesOptions;
  kernels: MaskKernels | undefined;
}

/**
 * Segments a few planes across z and tells how much z has to be stretched, see {@link anisotropySeen}.
 * @param parameters with the diameter of the run, if it has one; the anisotropy does not matter
 */
export async function lookAcross(
  look: AcrossLook,
  parameters: SegmentationParameters,
): Promise<number | undefined> {
  let stretch = FIRST_STRETCH;
  let seen: number | undefined;
  for (let k = 0; k < MOST_LOOKS; k++) {
    seen = anisotropySeen(await lookStretched(look, { ...parameters, anisotropy: stretch }));
    if (seen === undefined || seen <= stretch * CLOSE) break;
    stretch = seen;
  }
  return seen;
}

/** One look, at planes that are stretched by the anisotropy. */
async function lookStretched(
  { read, maps, slabs, network, tiles, kernels }: AcrossLook,
  parameters: SegmentationParameters,
): Promise<AcrossSeen> {
  const { cellprobThreshold, minSize } = DEFAULT_PARAMETERS;
  const masks = maskParameters({ ...parameters, cellprobThreshold, minSize });
  let cells = 0;
  const ratios = [];
  for (const view of VIEWS.slice(1)) {
    let [down, across, stretch] = [0, 0, 0];
    for (const { box } of slabs.filter((slab) => slab.view === view)) {
      throwIfAborted(tiles.signal);
      const shape = lengthsOf(box);
      const plan = viewPlan(shape, parameters);
      const [plane, row, column] = view.axes;
      const [height, width] = [plan.grid[row], plan.grid[column]];
      const reader = new PlaneReader(await read(box), maps, plan);
      const output = await runTiles(
        reader.read(view, planesAcross(plane, plan) >> 1),
        height,
        width,
        network,
        tiles,
      );
      const area = height * width;
      const [dP, cellprob] = [output.subarray(0, 2 * area), output.subarray(2 * area)];
      const pipeline = new MaskPipeline(dP, cellprob, [height, width], kernels);
      const labels = await pipeline.labels(masks, tiles.signal ? { signal: tiles.signal } : {});
      cells += maxLabel(labels);
      const crossed = crossings(labels, height, width);
      down += crossed.down;
      across += crossed.across;
      // What was really stretched: grids have whole pixels.
      stretch = height / shape[row] / (width / shape[column]);
    }
    ratios.push(stretch * (down / across));
  }
  return { cells, ratios: ratios as [number, number] };
}
