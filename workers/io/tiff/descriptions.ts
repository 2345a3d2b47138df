/** What ImageJ writes into the first page's description. */
export interface ImageJDescription {
  images: number;
  channels: number;
  slices: number;
  frames: number;
  /** z step in `unit`. */
  spacing?: number;
  unit?: string;
  frameInterval?: number;
}

/** ImageJ's `key=value` lines, or undefined if it is not such a text. */
export function parseImageJ(text: string): ImageJDescription | undefined {
  if (!text.startsWith('ImageJ=') && !text.startsWith('SCIFIO=')) return undefined;
  const values = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const at = line.indexOf('=');
    if (at > 0) values.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
  }
  const count = (key: string) => {
    const value = Number(values.get(key) ?? 1);
    return Number.isInteger(value) && value > 0 ? value : 1;
  };
  const spacing = Number(values.get('spacing'));
  const interval = Number(values.get('finterval'));
  // ImageJ escapes non-ASCII characters of the unit (\u00B5 for µ).
  const unit = values
    .get('unit')
    ?.replace(/\\u([0-9a-fA-F]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  return {
    images: count('images'),
    channels: count('channels'),
    slices: count('slices'),
    frames: count('frames'),
    ...(Number.isFinite(spacing) && spacing !== 0 ? { spacing: Math.abs(spacing) } : {}),
    ...(unit ? { unit } : {}),
    ...(interval > 0 ? { frameInterval: interval } : {}),
  };
}

/** The array shape (and axes) that tifffile writes as JSON. */
export function parseShaped(text: string): { shape: number[]; axes?: string } | undefined {
  if (!text.startsWith('{')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text.replaceAll('\0', ''));
  } catch {
    return undefined; // some other text that happens to start with a brace
  }
  const { shape, axes } = value as { shape?: unknown; axes?: unknown };
  if (!Array.isArray(shape) || !shape.every((n) => Number.isInteger(n) && n > 0)) return undefined;
  return { shape: shape as number[], ...(typeof axes === 'string' ? { axes } : {}) };
}

/** The unit as a short symbol. */
export function unitSymbol(unit: string | undefined): string {
  const names: Record<string, string> = {
    micron: 'µm',
    microns: 'µm',
    micrometer: 'µm',
    micrometre: 'µm',
    um: 'µm',
    μm: 'µm',
    nanometer: 'nm',
    nanometre: 'nm',
    millimeter: 'mm',
    millimetre: 'mm',
    centimeter: 'cm',
    inch: 'in',
    pixel: 'px',
    pixels: 'px',
    angstrom: 'Å',
  };
  if (unit === undefined || unit === '') return 'px';
  return names[unit.toLowerCase()] ?? unit;
}
