import { XMLParser } from 'fast-xml-parser';
import { CytoError } from '../../../core/errors.ts';
import type { ChannelInfo } from '../../../core/volume.ts';

/** Which page of the file holds which plane. */
export interface OmePlane {
  ifd: number;
  c: number;
  z: number;
  t: number;
}

/** What an OME-XML comment says of the first image. */
export interface OmeImage {
  name?: string;
  sizeX: number;
  sizeY: number;
  sizeZ: number;
  sizeC: number;
  sizeT: number;
  /** E.g. XYZCT: fastest first. */
  order: string;
  channels: ChannelInfo[];
  /** Samples per pixel of the first channel (3 for RGB). */
  samples: number;
  /** Length per pixel along z, y, x, with its unit; undefined if not stated. */
  spacing?: { z?: number; y?: number; x?: number; unit: string };
  timeStep?: number;
  planes: OmePlane[];
  /** Files that hold other planes of this image. */
  otherFiles: string[];
  images: number;
}

type Node = Record<string, unknown>;

const children = (node: Node, name: string): Node[] => {
  const value = node[name];
  if (value === undefined || value === '') return [];
  return (Array.isArray(value) ? value : [value]) as Node[];
};

function parse(text: string): Node {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    removeNSPrefix: true,
    parseAttributeValue: false,
    processEntities: { enabled: true, maxTotalExpansions: 1000 },
  });
  try {
    return parser.parse(text, true) as Node;
  } catch (cause) {
    throw new CytoError(
      'corrupt-file',
      'The OME-XML description in this file is broken. Convert the file again, for example with bioformats2raw or ImageJ.',
      { cause },
    );
  }
}

/** True for a TIFF comment that is OME-XML. */
export function isOmeXml(text: string): boolean {
  return /<(\w+:)?OME[\s>]/.test(text.slice(0, 20_000));
}

function colorOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const rgba = Number(value) >>> 0;
  return `#${(rgba >>> 8).toString(16).padStart(6, '0')}`;
}

/**
 * Reads the first image of an OME-XML description.
 * @param uuid of the file itself, to tell its planes from those of other files
 * @throws CytoError `corrupt-file` naming what is missing
 */
export function parseOmeXml(text: string, fileName: string): OmeImage {
  const ome = children(parse(text), 'OME')[0];
  const fail = (problem: string): never => {
    throw new CytoError('corrupt-file', `The OME-XML description in this file ${problem}.`);
  };
  if (!ome) return fail('has no OME element');
  const images = children(ome, 'Image');
  const image = images[0];
  const pixels = image && children(image, 'Pixels')[0];
  if (!pixels) return fail('describes no image');
  const size = (axis: string): number => {
    const value = Number(pixels[`Size${axis}`]);
    return Number.isInteger(value) && value > 0 ? value : fail(`has no usable Size${axis}`);
  };
  const [sizeX, sizeY, sizeZ, sizeC, sizeT] = ['X', 'Y', 'Z', 'C', 'T'].map(size);
  const order = String(pixels.DimensionOrder ?? 'XYCZT');
  if (!/^XY(?=[CZT]*C)(?=[CZT]*Z)(?=[CZT]*T)[CZT]{3}$/.test(order))
    fail(`has the unknown dimension order "${order}"`);
  const channelNodes = children(pixels, 'Channel');
  const samples = Number(channelNodes[0]?.SamplesPerPixel ?? 1) || 1;
  const channels = channelNodes.flatMap((node, c): ChannelInfo[] => {
    const color = colorOf(node.Color);
    const name = String(node.Name ?? node.Fluor ?? `Channel ${c + 1}`);
    const count = Number(node.SamplesPerPixel ?? 1) || 1;
    return Array.from({ length: count }, () => ({ name, ...(color && count === 1 ? { color } : {}) }));
  });
  const physical = (axis: string) => {
    const value = Number(pixels[`PhysicalSize${axis}`]);
    return Number.isFinite(value) && value > 0 ? value : undefined;
  };
  const [x, y, z] = ['X', 'Y', 'Z'].map(physical);
  const timeStep = Number(pixels.TimeIncrement);
  const { planes, otherFiles } = planeTable(pixels, ome, fileName, order, [sizeZ, sizeC / samples, sizeT]);
  return {
    ...(image.Name === undefined ? {} : { name: String(image.Name) }),
    sizeX,
    sizeY,
    sizeZ,
    sizeC,
    sizeT,
    order,
    channels,
    samples,
    ...(x === undefined && y === undefined
      ? {}
      : {
          spacing: {
            ...(x === undefined ? {} : { x }),
            ...(y === undefined ? {} : { y }),
            ...(z === undefined ? {} : { z }),
            unit: String(pixels.PhysicalSizeXUnit ?? pixels.PhysicalSizeYUnit ?? 'µm'),
          },
        }),
    ...(timeStep > 0 ? { timeStep } : {}),
    planes,
    otherFiles,
    images: images.length,
  };
}

function planeTable(
  pixels: Node,
  ome: Node,
  fileName: string,
  order: string,
  [sizeZ, sizeC, sizeT]: number[],
): { planes: OmePlane[]; otherFiles: string[] } {
  const sizes: Record<string, number> = { Z: sizeZ, C: sizeC, T: sizeT };
  const axes = order.slice(2).split('');
  const total = sizeZ * sizeC * sizeT;
  const planeAt = (index: number) => {
    const at: Record<string, number> = {};
    let rest = index;
    for (const axis of axes) {
      at[axis] = rest % sizes[axis];
      rest = Math.floor(rest / sizes[axis]);
    }
    return { c: at.C, z: at.Z, t: at.T };
  };
  const indexOf = (at: Record<string, number>) => {
    let index = 0;
    for (let k = axes.length - 1; k >= 0; k--) index = index * sizes[axes[k]] + at[axes[k]];
    return index;
  };
  const planes: OmePlane[] = [];
  const otherFiles = new Set<string>();
  const entries = children(pixels, 'TiffData');
  for (const entry of entries) {
    const node = entry as Node;
    const uuid = children(node, 'UUID')[0] as Node | string | undefined;
    const file = typeof uuid === 'object' ? uuid.FileName : undefined;
    const id = typeof uuid === 'object' ? uuid['#text'] : uuid;
    const own = id === undefined || id === ome.UUID || file === undefined || String(file) === fileName;
    if (!own) {
      otherFiles.add(String(file));
      continue;
    }
    const number = (name: string, fallback: number) => {
      const value = Number(node[name] ?? fallback);
      return Number.isInteger(value) && value >= 0 ? value : fallback;
    };
    const first = indexOf({ Z: number('FirstZ', 0), C: number('FirstC', 0), T: number('FirstT', 0) });
    const ifd = number('IFD', 0);
    const count =
      node.PlaneCount === undefined ? (node.IFD === undefined ? total : 1) : number('PlaneCount', 1);
    for (let k = 0; k < count && first + k < total; k++) planes.push({ ifd: ifd + k, ...planeAt(first + k) });
  }
  if (entries.length === 0) for (let k = 0; k < total; k++) planes.push({ ifd: k, ...planeAt(k) });
  return { planes, otherFiles: [...otherFiles] };
}
