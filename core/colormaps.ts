import type { Colormap } from './layer.ts';

/** Samples of a colour table. */
export const COLORMAP_SIZE = 256;

type Rgb = readonly [red: number, green: number, blue: number];

/** Colours 0…255 at equal steps from low to high; the tables between them are linear. */
const STOPS: Record<Colormap, readonly Rgb[]> = {
  gray: [
    [0, 0, 0],
    [255, 255, 255],
  ],
  green: [
    [0, 0, 0],
    [0, 255, 0],
  ],
  magenta: [
    [0, 0, 0],
    [255, 0, 255],
  ],
  cyan: [
    [0, 0, 0],
    [0, 255, 255],
  ],
  yellow: [
    [0, 0, 0],
    [255, 255, 0],
  ],
  red: [
    [0, 0, 0],
    [255, 0, 0],
  ],
  // A pure blue is too dark to be read; this one keeps its hue and is three times as bright.
  blue: [
    [0, 0, 0],
    [64, 96, 255],
  ],
  // Bright hues that add up to white and stay apart for most colour-blind eyes: C. Leterrier, NeuroCyto LUTs (CC0).
  'bop-blue': [
    [0, 0, 0],
    [32, 173, 248],
  ],
  'bop-orange': [
    [0, 0, 0],
    [248, 173, 32],
  ],
  'bop-purple': [
    [0, 0, 0],
    [173, 32, 248],
  ],
  'gray-inverted': [
    [255, 255, 255],
    [0, 0, 0],
  ],
  // cividis, even for colour-blind eyes: J. Nuñez, C. Anderton, R. Renslow, 2018 (CC0); every 15th of 256 entries.
  cividis: hexes(
    '00224e 002d68 163770 2e416d 3f4c6c 4e566c 5c616e 696b71 767676 838179 928c78 a09875 afa471 bfb06b cfbd62 dfca57 f0d846 fee838',
  ),
  // viridis, magma, plasma, inferno: N. Smith, S. van der Walt, E. Firing (CC0); every 15th of the 256 entries.
  viridis: hexes(
    '440154 481769 472a7a 433d84 3d4e8a 355e8d 2e6d8e 297b8e 23898e 1f978b 21a585 2eb37c 46c06f 65cb5e 89d548 b0dd2f d8e219 fde725',
  ),
  magma: hexes(
    '000004 090720 1a1042 311165 4a1079 621980 792282 912b81 aa337d c23b75 d9466b ec5860 f7725c fc8e64 feaa74 fec68a fde2a3 fcfdbf',
  ),
  plasma: hexes(
    '0d0887 2f0596 4903a0 6100a7 7801a8 8e0ca4 a21d9a b42e8d c43e7f d24f71 de6164 e97257 f3854b f99a3e fdaf31 fdc627 f8df25 f0f921',
  ),
  inferno: hexes(
    '000004 0a0722 1e0c45 380962 510e6c 69166e 801f6c 982766 b0315b c63d4d d94d3d e9612b f47918 fa9407 fcb014 f8cd37 f2ea69 fcffa4',
  ),
  // turbo: A. Mikhailov, Google (Apache-2.0), at 15 equal steps.
  turbo: hexes(
    '30123b 4145ab 4675ed 39a2fc 1bcfd4 24eca6 61fc6c a4fc3b d1e834 f3c63a fe9b2d f36315 d93806 b11901 7a0402',
  ),
};

function hexes(list: string): Rgb[] {
  return list.split(' ').map(parseHex);
}

function parseHex(hex: string): Rgb {
  const value = Number.parseInt(hex, 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

const tables = new Map<Colormap, Uint8Array>();

/** The two colours 0…255 between which a table is linear, or undefined for those with more than two. */
export function colormapRamp(name: Colormap): readonly [low: Rgb, high: Rgb] | undefined {
  const stops = STOPS[name];
  return stops.length === 2 ? [stops[0], stops[1]] : undefined;
}

/** Colour table of {@link COLORMAP_SIZE} entries, RGBA 0…255, alpha 255. Do not write to it. */
export function colormapTable(name: Colormap): Uint8Array {
  const known = tables.get(name);
  if (known) return known;
  const stops = STOPS[name];
  const table = new Uint8Array(COLORMAP_SIZE * 4);
  for (let i = 0; i < COLORMAP_SIZE; i++) {
    const position = (i / (COLORMAP_SIZE - 1)) * (stops.length - 1);
    const left = Math.min(Math.floor(position), stops.length - 2);
    const weight = position - left;
    for (let c = 0; c < 3; c++) {
      table[i * 4 + c] = Math.round(stops[left][c] * (1 - weight) + stops[left + 1][c] * weight);
    }
    table[i * 4 + 3] = 255;
  }
  tables.set(name, table);
  return table;
}

/** Css `linear-gradient` of a colour table, low at the left. */
export function colormapGradient(name: Colormap): string {
  return `linear-gradient(to right, ${STOPS[name].map((rgb) => `rgb(${rgb.join(' ')})`).join(', ')})`;
}

const HUES: ReadonlyArray<readonly [Colormap, number]> = [
  ['red', 0],
  ['yellow', 60],
  ['green', 120],
  ['cyan', 180],
  ['blue', 230],
  ['magenta', 300],
];

/** The single-hue colour table nearest to a `#rrggbb` colour; gray for colours without hue or of other forms. */
export function nearestColormap(color: string): Colormap {
  const digits = /^#?([0-9a-f]{6})/i.exec(color)?.[1];
  if (digits === undefined) return 'gray';
  const [r, g, b] = parseHex(digits);
  const high = Math.max(r, g, b);
  const range = high - Math.min(r, g, b);
  if (high === 0 || range < 0.2 * high) return 'gray';
  const sector =
    high === r ? ((g - b) / range + 6) % 6 : high === g ? (b - r) / range + 2 : (r - g) / range + 4;
  const hue = sector * 60;
  const distance = (other: number) => Math.min(Math.abs(hue - other), 360 - Math.abs(hue - other));
  return HUES.reduce((best, entry) => (distance(entry[1]) < distance(best[1]) ? entry : best))[0];
}
