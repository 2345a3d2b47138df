import { labelStatistics } from '../label-volume.ts';
import type { Calibration, Shape3 } from '../volume.ts';

/**
 * One row per label: size in pixels and in physical units, centroid and bounding box. Comment lines (#) with the
 * provenance come first; numbers use a decimal point.
 *
 * @param labels Uint32 [z, y, x]
 */
export function labelCsv(
  labels: Uint32Array,
  shape: Shape3,
  calibration: Calibration,
  provenance: Record<string, string | number> = {},
): string {
  const [dz, dy, dx] = calibration.spacing;
  const { unit } = calibration;
  const stack = shape[0] > 1;
  const size = stack ? `volume_${unit}3` : `area_${unit}2`;
  const axes = stack ? ['z', 'y', 'x'] : ['y', 'x'];
  const spacing = stack ? [dz, dy, dx] : [dy, dx];
  const measure = spacing.reduce((product, step) => product * step, 1);
  const first = stack ? 0 : 1;
  const header = [
    'label',
    stack ? 'voxels' : 'pixels',
    size,
    ...axes.map((axis) => `centroid_${axis}_px`),
    ...axes.map((axis) => `centroid_${axis}_${unit}`),
    ...axes.map((axis) => `box_${axis}0`),
    ...axes.map((axis) => `box_${axis}1`),
  ];
  const number = (value: number) => String(Number(value.toPrecision(9)));
  const rows = labelStatistics(labels, shape).map(({ id, count, centroid, box }) => {
    const centre = centroid.slice(first);
    return [
      id,
      count,
      number(count * measure),
      ...centre.map(number),
      ...centre.map((value, axis) => number(value * spacing[axis])),
      ...box.slice(first, 3),
      ...box.slice(3 + first),
    ].join(',');
  });
  const comments = Object.entries(provenance).map(
    ([key, value]) => `# ${key}: ${String(value).replace(/[\r\n]+/g, ' ')}`,
  );
  return [...comments, header.join(','), ...rows, ''].join('\n');
}
