import type { ExpectedArray, ExpectedArrays, ExpectedImage, Reading, ReadLevel, Unit } from './manifest.ts';

/** The axes of a volume, slowest first. */
export const ALL_AXES = 'TCZYX';

/** Types that we keep in a wider one. */
const WIDENED: Record<string, string[]> = {
  bool: ['uint8'],
  float16: ['float32'],
  uint64: ['float64', 'uint32'],
  int64: ['float64', 'int32'],
};

/** Our axes in the order in which the samples of an expected image stand; unknown planes (I, Q) are read as z. */
export function orderOf({ axes = '' }: ExpectedImage): string {
  const named = axes.replace(/[IQ]/, 'Z').replace('S', 'C');
  const distinct = new Set(named).size === named.length;
  if (!distinct || !/^[TCZYX]+$/.test(named)) return ALL_AXES;
  return [...ALL_AXES].filter((axis) => !named.includes(axis)).join('') + named;
}

const nontrivial = (shape: readonly number[]) => shape.filter((n) => n > 1).join('×');

const ordered = (shape: readonly number[], order: string) =>
  [...order].map((axis) => shape[ALL_AXES.indexOf(axis)]);

const close = (a: number, b: number) => Math.abs(a - b) <= 1e-6 * Math.max(Math.abs(a), Math.abs(b));

const symbol = (unit: string) =>
  ({ micron: 'µm', um: 'µm', micrometer: 'µm', μm: 'µm', nanometer: 'nm', millimeter: 'mm', pixel: 'px' })[
    unit
  ] ?? unit;

/** What differs between an array and what it must be; empty when nothing does. */
function arrayDifferences(read: ReadLevel, expected: ExpectedArray, order: string, lossy = false): string[] {
  const problems: string[] = [];
  const shape = ordered(read.shape, order);
  if (nontrivial(shape) !== nontrivial(expected.shape))
    problems.push(`shape ${shape.join('×')} instead of ${expected.shape.join('×')}`);
  if (read.dtype !== expected.dtype && !WIDENED[expected.dtype]?.includes(read.dtype))
    problems.push(`type ${read.dtype} instead of ${expected.dtype}`);
  if (lossy) {
    // Decoders of JPEG may differ by a few grey levels.
    if (expected.mean !== undefined && Math.abs(read.mean - expected.mean) > 1)
      problems.push(`mean ${read.mean} instead of ${expected.mean}`);
  } else if (expected.sha256_le_c && read.sha256 !== expected.sha256_le_c) {
    problems.push(
      `other samples (min ${read.min}, max ${read.max}, mean ${read.mean} instead of ${expected.min}, ${expected.max}, ${expected.mean})`,
    );
  }
  return problems;
}

function spacingDifferences(read: ReadLevel, expected: ExpectedImage): string[] {
  const [z, y, x] = read.spacing;
  const problems: string[] = [];
  const check = (axis: string, mine: number, theirs: number | null | undefined) => {
    if (theirs !== null && theirs !== undefined && !close(mine, theirs))
      problems.push(`spacing along ${axis} ${mine} instead of ${theirs}`);
  };
  if (expected.spacing) {
    check('x', x, expected.spacing.x);
    check('y', y, expected.spacing.y);
    if (read.shape[2] > 1) check('z', z, expected.spacing.z);
    if (symbol(read.unit) !== symbol(expected.spacing.unit))
      problems.push(`unit ${read.unit} instead of ${expected.spacing.unit}`);
  }
  const fastest = expected.spacing_fastest_first;
  if (fastest) {
    check('x', x, fastest[0]);
    if (expected.shape.length > 1) check('y', y, fastest[1]);
    if (expected.shape.length > 2 && fastest.length > 2) check('z', z, fastest[2]);
  }
  return problems;
}

/** Level arrays of an OME-Zarr, in the order of its datasets; label groups are opened by themselves. */
export function levelPaths(expected: ExpectedArrays): string[] {
  const paths = expected.multiscales?.[0]?.datasets.map(({ path }) => path) ?? Object.keys(expected.arrays);
  return paths.filter((path) => path in expected.arrays);
}

function zarrDifferences(reading: Reading, expected: ExpectedArrays): string[] {
  const scales = expected.multiscales?.[0];
  return levelPaths(expected).flatMap((path, index) => {
    const read = reading.levels?.[index];
    if (!read) return [`level ${path} is missing`];
    const problems = arrayDifferences(read, expected.arrays[path], ALL_AXES);
    const scale = scales?.datasets[index]?.coordinateTransformations?.find(
      (transform) => transform.scale,
    )?.scale;
    const names = scales?.axes?.map(({ name }) => name);
    for (const [axis, position] of [
      ['z', 0],
      ['y', 1],
      ['x', 2],
    ] as const) {
      const at = names?.indexOf(axis) ?? -1;
      if (scale && at >= 0 && !close(read.spacing[position], scale[at]))
        problems.push(`spacing along ${axis} ${read.spacing[position]} instead of ${scale[at]}`);
    }
    return problems.map((problem) => `${path}: ${problem}`);
  });
}

/** The fields of a ROI as the read-roi package names them. */
function asReadRoi(roi: Record<string, unknown>): Record<string, unknown> {
  const { name, type, left, top, width, height, paths, position, arcSize, aspectRatio } = roi as {
    paths: [number, number][][];
  } & Record<string, unknown>;
  const common = { name, type, position };
  if (type === 'rectangle') return { ...common, left, top, width, height, arc_size: arcSize };
  if (type === 'oval') return { ...common, left, top, width, height };
  if (type === 'composite') return { ...common, left, top, width, height, paths };
  const [path = []] = paths;
  if (type === 'ellipse') {
    const [[ex1, ey1], [ex2, ey2]] = path;
    return { ...common, type: 'freehand', aspect_ratio: aspectRatio, ex1, ey1, ex2, ey2 };
  }
  return { ...common, x: path.map(([x]) => x), y: path.map(([, y]) => y), n: path.length };
}

function roiDifferences(reading: Reading, expected: Record<string, Record<string, unknown>>): string[] {
  const mine = (reading.rois ?? []).map(asReadRoi);
  return Object.entries(expected).flatMap(([name, theirs]) => {
    const roi = mine.find((each) => each.name === name);
    if (!roi) return [`no ROI named ${name}`];
    return Object.entries(theirs)
      .filter(([key]) => !(key === 'width' && theirs.n !== undefined)) // stroke width
      .filter(([key, value]) => JSON.stringify(roi[key]) !== JSON.stringify(value))
      .map(([key, value]) =>
        `${name}.${key} ${JSON.stringify(roi[key])} instead of ${JSON.stringify(value)}`.slice(0, 200),
      );
  });
}

/** Problems of one unit; empty when it reads as its level demands. */
export function judge(unit: Unit, reading: Reading): string[] {
  const { error } = reading;
  if (error) {
    const clear = !['untagged', 'internal', 'aborted', 'worker-crashed'].includes(error.kind);
    if (unit.level !== 'core' && clear && error.message.length > 20) return [];
    return [`${error.kind}: ${error.message}`];
  }
  if (unit.level === 'corrupt') {
    const partial = /partial|read as plain|offer the arrays|pages before|must end/.test(unit.note ?? '');
    return partial ? [] : ['read without an error'];
  }
  const { expected } = unit;
  if (expected === null) return [];
  if ('read_roi' in expected)
    return roiDifferences(reading, expected.read_roi as Record<string, Record<string, unknown>>);
  if ('arrays' in expected) return zarrDifferences(reading, expected as ExpectedArrays);
  const [level] = reading.levels ?? [];
  if (!level) return ['nothing was read'];
  const image = expected as ExpectedImage;
  const problems = [
    ...arrayDifferences(level, image, orderOf(image), image.lossy),
    ...spacingDifferences(level, image),
  ];
  if ((image.n_levels ?? 1) > (reading.levelCount ?? 0) && unit.level === 'core')
    problems.push(`${reading.levelCount} levels instead of ${image.n_levels}`);
  return problems;
}
