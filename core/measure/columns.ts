import type { VolumeData } from '../volume.ts';

/** An image whose samples are measured inside the labels; shape as the labels'. */
export interface ChannelSamples {
  name: string;
  samples: VolumeData;
}

/** What a column counts in. */
export type Quantity =
  | 'count'
  | 'flag'
  | 'pixel'
  | 'length'
  | 'area'
  | 'volume'
  | 'angle'
  | 'ratio'
  | 'intensity';

export interface MeasurementColumn {
  /** Name in filters, files and attributes. */
  key: string;
  quantity: Quantity;
  /** Physical unit such as `µm²`; empty for ratios and counts. */
  unit: string;
  /** Name of the channel, for intensities. */
  channel?: string;
}

/**
 * The columns of a measurement, in order.
 *
 * `pixels`/`voxels`, `area`/`volume`, centroid (physical, voxel 0 at 0, and in pixels), box (pixels, half-open),
 * `equivalent_diameter` (of the circle or ball of the same size), `perimeter` (Benkrid) and `circularity` 4πA/P² in 2D,
 * `surface` (marching cubes) and `sphericity` in 3D, axes of the ellipse or ellipsoid of the same second moments,
 * `eccentricity` and `orientation` (degrees from the x axis, counter-clockwise) in 2D, `solidity` (share of the convex
 * hull), `neighbours` (labels that share a pixel edge or voxel face), `at_edge` (1 where the image cuts the label off),
 * per channel k = 1… `mean_k`, `min_k`, `max_k`, `sd_k`, `integrated_k`, then supplied columns.
 *
 * @param stack whether there are several planes
 */
export function measurementColumns(
  stack: boolean,
  unit: string,
  channels: ReadonlyArray<{ name: string }> = [],
  supplied: readonly string[] = [],
): MeasurementColumn[] {
  const column = (key: string, quantity: Quantity): MeasurementColumn => {
    const power = { length: '', area: '²', volume: '³' }[quantity as 'length' | 'area' | 'volume'];
    return {
      key,
      quantity,
      unit: power === undefined ? (quantity === 'angle' ? '°' : '') : `${unit}${power}`,
    };
  };
  const axes = stack ? ['z', 'y', 'x'] : ['y', 'x'];
  return [
    ...(stack
      ? [column('voxels', 'count'), column('volume', 'volume')]
      : [column('pixels', 'count'), column('area', 'area')]),
    ...axes.map((axis) => column(`centroid_${axis}`, 'length')),
    column('equivalent_diameter', 'length'),
    ...(stack
      ? [
          column('surface', 'area'),
          column('sphericity', 'ratio'),
          column('axis_major', 'length'),
          column('axis_middle', 'length'),
          column('axis_minor', 'length'),
        ]
      : [
          column('perimeter', 'length'),
          column('circularity', 'ratio'),
          column('axis_major', 'length'),
          column('axis_minor', 'length'),
          column('eccentricity', 'ratio'),
          column('orientation', 'angle'),
        ]),
    column('solidity', 'ratio'),
    column('neighbours', 'count'),
    column('at_edge', 'flag'),
    ...channels.flatMap(({ name }, c) =>
      ['mean', 'sd', 'min', 'max', 'integrated'].map(
        (kind): MeasurementColumn => ({ ...column(`${kind}_${c + 1}`, 'intensity'), channel: name }),
      ),
    ),
    ...supplied.map((key) => column(key, 'ratio')),
    ...axes.map((axis) => column(`centroid_${axis}_px`, 'pixel')),
    ...axes.map((axis) => column(`box_${axis}0`, 'pixel')),
    ...axes.map((axis) => column(`box_${axis}1`, 'pixel')),
  ];
}
