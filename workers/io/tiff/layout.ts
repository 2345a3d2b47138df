import { CytoError } from '../../../core/errors.ts';
import type { Calibration, ChannelInfo, Shape5 } from '../../../core/volume.ts';
import { type ImageJDescription, parseImageJ, parseShaped, unitSymbol } from './descriptions.ts';
import { isOmeXml, parseOmeXml } from './ome-xml.ts';
import type { Page, TagResolution } from './pages.ts';

/** Where a plane's samples are: a page and the first of its samples. */
export interface PlaneRef {
  page: number;
  sample: number;
}

/** How the pages of a file form an image. */
export interface Layout {
  name?: string;
  shape: Shape5;
  storedAxes: string;
  calibration: Calibration;
  channels?: ChannelInfo[];
  rgb: boolean;
  notes: string[];
  /** Page of a plane, or undefined where the file holds none (zeros). */
  plane(t: number, c: number, z: number): PlaneRef | undefined;
  /** ImageJ stacks above 4 GiB: all planes follow the first page's samples without directories of their own. */
  contiguous?: boolean;
}

/** Centimetres and inches are printing resolutions unless they are microscopic. */
function fromResolutionTags(found: TagResolution | undefined, planes: number): Calibration {
  if (found && found.unit !== 'px') {
    const factor = found.unit === 'cm' ? 10_000 : 25_400;
    const [y, x] = [found.y * factor, found.x * factor];
    if (x <= 20 && y <= 20) {
      const zAssumed = planes > 1 ? ({ zAssumed: true } as const) : {};
      return { spacing: [1, y, x], unit: 'µm', calibrated: true, ...zAssumed };
    }
  }
  return { spacing: [1, 1, 1], unit: 'px', calibrated: false };
}

const isRgb = (page: Page) => page.photometric === 2 && page.samples >= 3 && page.dtype === 'uint8';

/** The first page and those after it that look the same. */
function uniformPages(pages: readonly Page[]): number[] {
  const [first] = pages;
  return [...pages.keys()].filter((k) => {
    const page = pages[k];
    return (
      !(page.reduced && k > 0) &&
      page.width === first.width &&
      page.height === first.height &&
      page.samples === first.samples &&
      page.dtype === first.dtype
    );
  });
}

/** Finds out how pages form an image: OME-XML, ImageJ's or tifffile's description, or the pages alone. */
export function layoutOf(
  pages: readonly Page[],
  description: string,
  fileName: string,
  resolution: TagResolution | undefined,
): Layout {
  if (isOmeXml(description)) return omeLayout(pages, description, fileName);
  const imageJ = parseImageJ(description);
  if (imageJ) return imageJLayout(pages, imageJ, resolution);
  return plainLayout(pages, description, resolution);
}

function omeLayout(pages: readonly Page[], description: string, fileName: string): Layout {
  const ome = parseOmeXml(description, fileName);
  const [first] = pages;
  if (ome.sizeX !== first.width || ome.sizeY !== first.height) {
    throw new CytoError(
      'corrupt-file',
      `The OME-XML description speaks of ${ome.sizeX} × ${ome.sizeY} pixels, the file holds ${first.width} × ${first.height}. Convert the file again.`,
    );
  }
  const samples = first.samples;
  const table = new Map<string, number>();
  for (const { ifd, c, z, t } of ome.planes) {
    if (ifd < pages.length) table.set(`${t} ${c} ${z}`, ifd);
  }
  const pageChannels = Math.max(1, Math.round(ome.sizeC / Math.max(ome.samples, 1)));
  const channelCount = pageChannels * samples;
  const missing = pageChannels * ome.sizeZ * ome.sizeT - table.size;
  const notes: string[] = [];
  if (ome.otherFiles.length > 0)
    notes.push(`Planes in other files are not shown: ${ome.otherFiles.slice(0, 3).join(', ')}.`);
  else if (missing > 0)
    notes.push(`${missing} planes that the description names are not in the file; they are shown empty.`);
  if (ome.images > 1) notes.push(`The file holds ${ome.images} images; the first is shown.`);
  const { spacing } = ome;
  const calibration: Calibration = spacing
    ? {
        spacing: [spacing.z ?? 1, spacing.y ?? spacing.x ?? 1, spacing.x ?? spacing.y ?? 1],
        unit: unitSymbol(spacing.unit),
        calibrated: true,
        ...(spacing.z === undefined && ome.sizeZ > 1 ? { zAssumed: true } : {}),
        ...(ome.timeStep ? { timeStep: ome.timeStep } : {}),
      }
    : { spacing: [1, 1, 1], unit: 'px', calibrated: false };
  return {
    ...(ome.name ? { name: ome.name } : {}),
    shape: [ome.sizeT, channelCount, ome.sizeZ, first.height, first.width],
    storedAxes: ome.order.split('').reverse().join(''),
    calibration,
    ...(ome.channels.length === channelCount ? { channels: ome.channels } : {}),
    rgb: isRgb(first) && channelCount === 3,
    notes,
    plane: (t, c, z) => {
      const page = table.get(`${t} ${Math.floor(c / samples)} ${z}`);
      return page === undefined ? undefined : { page, sample: c % samples };
    },
  };
}

function imageJLayout(
  pages: readonly Page[],
  imageJ: ImageJDescription,
  tags: TagResolution | undefined,
): Layout {
  const [first] = pages;
  const notes: string[] = [];
  let { channels, slices, frames } = imageJ;
  const own = uniformPages(pages);
  const contiguous = own.length === 1 && imageJ.images > 1 && first.compression === 1;
  const available = contiguous ? imageJ.images : own.length;
  const rgb = first.samples >= 3;
  if (rgb) channels = 1;
  if (channels * slices * frames !== available) {
    if (channels * slices * frames > 1)
      notes.push('ImageJ’s description does not fit the number of pages; they are shown as one stack.');
    [channels, slices, frames] = [1, available, 1];
  }
  // ImageJ writes pixels per unit with "no unit" set, and the unit's name into the description.
  const { unit } = imageJ;
  const calibrated = tags !== undefined && unit !== undefined;
  const calibration: Calibration = {
    spacing: [calibrated ? (imageJ.spacing ?? 1) : 1, calibrated ? tags.y : 1, calibrated ? tags.x : 1],
    unit: calibrated ? unitSymbol(unit) : 'px',
    calibrated,
    ...(imageJ.frameInterval ? { timeStep: imageJ.frameInterval } : {}),
  };
  const samples = first.samples;
  return {
    shape: [frames, channels * samples, slices, first.height, first.width],
    storedAxes: 'TZCYX',
    calibration,
    rgb: isRgb(first),
    notes,
    ...(contiguous ? { contiguous } : {}),
    plane: (t, c, z) => {
      const k = (t * slices + z) * channels + Math.floor(c / samples);
      return { page: contiguous ? k : own[k], sample: c % samples };
    },
  };
}

function plainLayout(
  pages: readonly Page[],
  description: string,
  resolution: TagResolution | undefined,
): Layout {
  const [first] = pages;
  const own = uniformPages(pages);
  const samples = first.samples;
  const notes: string[] = [];
  const others = pages.filter((page, k) => !own.includes(k) && !page.reduced).length;
  if (others > 0) notes.push(`${others} pages of another size or type are not shown.`);
  let axes: Record<string, number> = { Z: own.length };
  let order = 'Z';
  const shaped = parseShaped(description);
  if (shaped?.axes && shaped.axes.length === shaped.shape.length) {
    const leading = [...shaped.axes]
      .map((axis, k) => [axis, shaped.shape[k]] as const)
      .filter(([axis]) => /[TCZ]/.test(axis));
    const product = leading.reduce((total, [, length]) => total * length, 1);
    if (product === own.length && new Set(leading.map(([axis]) => axis)).size === leading.length) {
      axes = Object.fromEntries(leading);
      order = leading.map(([axis]) => axis).join('');
    }
  } else if (own.length > 1) {
    notes.push('The file does not say what its pages are; they are shown as planes of a stack.');
  }
  const length = (axis: string) => axes[axis] ?? 1;
  return {
    shape: [length('T'), length('C') * samples, length('Z'), first.height, first.width],
    storedAxes: `${order}YX`,
    calibration: fromResolutionTags(resolution, length('Z')),
    rgb: isRgb(first),
    notes,
    plane: (t, c, z) => {
      const at: Record<string, number> = { T: t, C: Math.floor(c / samples), Z: z };
      let k = 0;
      for (const axis of order) k = k * length(axis) + at[axis];
      return { page: own[k], sample: c % samples };
    },
  };
}
