import type { SegmentationParameters } from '../../core/segmentation-parameters.ts';
import type { Shape3, VolumeData } from '../../core/volume.ts';
import { chooseSlabs, lookAcross, type ReadBox, tilesOfSlabs } from './cell-height.ts';
import {
  chooseLooks,
  diameterToUse,
  type Looked,
  lookAtCells,
  type SizeRule,
  tilesOfLooks,
} from './cell-size.ts';
import type { MaskKernels } from './kernels/kernels.ts';
import { NETWORK_DIAMETER, seeksAnisotropy } from './parameters.ts';
import type { SampleMap } from './preprocess/normalise.ts';
import type { RunTilesOptions } from './preprocess/run-tiles.ts';
import { type NetworkSides, workOf } from './run-plan.ts';
import type { TileCounter } from './tile-counter.ts';

/** What is looked at before a run. */
export interface LookSource {
  /** Lengths of z, y, x of what will be segmented. */
  shape: Shape3;
  /** Planes that may be looked at, [z, y, x] each channel, and their numbers in the stack. */
  some(): Promise<{ channels: readonly VolumeData[]; shape: Shape3; numbers?: readonly number[] }>;
  read: ReadBox;
}

/** What the cells' looks say of parameters that are not given. */
export interface FirstLook {
  /** Parameters that are taken from the looks; none where the image is best left as it is. */
  seen: Pick<SegmentationParameters, 'diameter' | 'anisotropy'>;
  /** What was made of the plane, if it was looked at as a whole and at the scale of the run. */
  whole?: Looked;
}

/**
 * Looks at some planes to learn the size of the cells and how flat they are, where the parameters and the model leave
 * that open. Tells the counter how many tiles that and the run will take.
 */
export async function lookFirst(
  source: LookSource,
  maps: readonly SampleMap[],
  parameters: SegmentationParameters,
  counter: TileCounter,
  tiles: RunTilesOptions,
  { sizes, kernels, ...sides }: NetworkSides & { sizes?: SizeRule; kernels: MaskKernels },
): Promise<FirstLook> {
  const { shape } = source;
  const seen: FirstLook['seen'] = {};
  const toDo = (known: SegmentationParameters) => workOf(shape, known, sides).tiles;
  const sizeOpen = sizes !== undefined && parameters.diameter === undefined;
  const heightOpen = seeksAnisotropy(parameters);
  if (sizeOpen || heightOpen) {
    const { channels, shape: own, numbers } = await source.some();
    const looks = chooseLooks(channels, maps, own);
    if (sizeOpen) {
      const whole = shape[0] === 1 && looks[0].height === shape[1] && looks[0].width === shape[2];
      counter.expect(tilesOfLooks(looks, tiles) + (whole ? 0 : toDo(parameters)));
      const input = { channels, shape: own };
      const { diameter: size, looked } = await lookAtCells(
        input,
        maps,
        looks,
        parameters,
        counter.network,
        tiles,
        kernels,
      );
      const diameter = diameterToUse(size, sizes, NETWORK_DIAMETER);
      if (diameter !== undefined) seen.diameter = diameter;
      else if (whole) return { seen, whole: looked[0] };
    }
    if (heightOpen) {
      const [look] = looks;
      const scaled = { ...parameters, ...seen };
      const slabs = chooseSlabs(channels, maps, look, { z: numbers?.[look.z] ?? look.z, shape }, scaled);
      counter.expect(tilesOfSlabs(slabs, scaled, tiles) + toDo(scaled));
      const anisotropy = await lookAcross(
        { read: source.read, maps, slabs, network: counter.network, tiles, kernels },
        scaled,
      );
      if (anisotropy !== undefined) seen.anisotropy = anisotropy;
    }
  }
  counter.expect(toDo({ ...parameters, ...seen }));
  return { seen };
}
