import { throwIfAborted } from '../../../core/errors.ts';
import { lengthsOf, voxelsOf, withAxis } from '../../../core/voxel-box.ts';
import type { SampleMap } from '../preprocess/normalise.ts';
import type { RunTilesOptions, TileNetwork } from '../preprocess/run-tiles.ts';
import {
  type FlowComponents,
  planeMixes,
  planesOfPart,
  VIEWS,
  ViewPass,
  type ViewPlan,
} from '../preprocess/three-views.ts';
import { type FlowPrecision, flowArray, flowBytes } from './flow-array.ts';
import { PlaneReader } from './plane-reader.ts';
import type { PlaneStack } from './plane-stack.ts';
import { partsAlong, type SampleSource } from './sample-source.ts';
import { BRICK, type StoredFlows } from './stored-flows.ts';

/**
 * Runs the three views over a volume that is read part by part and adds them up on disk. Tiles, normalisation and the
 * order of sums are those of a volume in memory, so that the flows are the same to the last bit.
 */
export async function streamViews(
  source: SampleSource,
  maps: readonly SampleMap[],
  plan: ViewPlan,
  { flows, precision }: { flows: StoredFlows; precision: FlowPrecision },
  network: TileNetwork,
  options: RunTilesOptions,
): Promise<void> {
  for (const view of VIEWS) {
    const pass = new ViewPass(view, plan, network, options);
    const [axis, ...inPlane] = view.axes;
    const written = [...inPlane, 3];
    const mixes = planeMixes(axis, plan);
    for (const box of partsAlong(source, axis, 3 * flowBytes(precision), BRICK)) {
      throwIfAborted(options.signal);
      const [first, stop] = planesOfPart(axis, box, plan);
      // Planes that the network sees are made of several planes of the image.
      const last = mixes[stop - 1];
      const needed = {
        from: withAxis(box.from, axis, mixes[first].first),
        to: withAxis(box.to, axis, last.first + last.weights.length),
      };
      const reader = new PlaneReader(await source.read(needed), maps, plan, needed);
      const size = voxelsOf(lengthsOf(box));
      const components = [0, 1, 2, 3].map((component) => {
        const values = flowArray(written.includes(component) ? size : 0, precision);
        if (values.length > 0) values.set(flows.cut(component, box));
        return values;
      }) as unknown as FlowComponents;
      await pass.add({ box, components }, (of, p) => reader.read(of, p));
      for (const component of written) flows.write(component, box, components[component]);
    }
  }
}

/** Runs the network over the planes of a stack that is read part by part. */
export async function streamPlanes(
  source: SampleSource,
  maps: readonly SampleMap[],
  scale: number,
  planes: PlaneStack,
  network: TileNetwork,
  options: RunTilesOptions,
): Promise<void> {
  for (const box of partsAlong(source, 0, 0)) {
    throwIfAborted(options.signal);
    await planes.run(await source.read(box), maps, scale, network, options, box.from[0]);
  }
}
