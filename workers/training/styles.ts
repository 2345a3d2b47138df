import type { NpyArray } from '../../core/npy.ts';
import { DEFAULT_PARAMETERS } from '../../core/segmentation-parameters.ts';
import { resizePlane, scaledLength } from '../segmentation/preprocess/resize.ts';
import type { TileNetwork } from '../segmentation/preprocess/run-tiles.ts';
import { cutTile, planTiles } from '../segmentation/preprocess/tiles.ts';
import type { NetworkSides } from '../segmentation/run-plan.ts';
import type { Gate } from './graph/gate.ts';
import type { Rehearsal } from './rehearsal.ts';
import type { PreparedImage } from './training-set.ts';

/** Tiles of an image whose styles are looked at. */
const MOST_TILES = 9;

/**
 * The logit of a gate at the mean of either kind of images. Images that were not fitted lie up to three quarters of the way
 * to the middle between both (docs/training.md): there it has to be sure still.
 */
const SURE = 18;

/** Share of the mean variance that is added to each, since there are fewer styles than values in one. */
const SHRINKAGE = 0.1;

/** Least that is added, where there is one style of either kind. */
const LEAST_SHRINKAGE = 1e-9;

/** Styles of images, see `styleGraph`: float32 [n, values]. */
export interface Styles {
  data: Float32Array;
  shape: [count: number, values: number];
}

/** A gate, and the styles that it opens for. */
export interface StyleGate {
  gate: Gate;
  styles: Styles;
}

/**
 * A gate that opens for images that are learned from and is shut for those that a model knows.
 * @param before styles of what the model has learned from here before; those of another network do not count
 * @param network made of `styleGraph`
 */
export async function styleGate(
  images: readonly PreparedImage[],
  before: NpyArray | undefined,
  known: Rehearsal,
  card: NetworkSides,
  network: TileNetwork,
): Promise<StyleGate> {
  const own: Float32Array[] = [];
  for (const image of images) own.push(...(await stylesOf(image, card, network)));
  const values = own[0].length;
  for (let k = 0; before?.shape[1] === values && k < before.shape[0]; k++)
    own.push(Float32Array.from(before.data.subarray(k * values, (k + 1) * values)));
  const data = new Float32Array(own.length * values);
  for (const [k, style] of own.entries()) data.set(style, k * values);
  return { gate: fitGate(own, await known.through(network)), styles: { data, shape: [own.length, values] } };
}

/** Styles of tiles of an image, cut as a run cuts them. */
async function stylesOf(
  { channels, shape, scale }: PreparedImage,
  card: NetworkSides,
  network: TileNetwork,
): Promise<Float32Array[]> {
  const [height, width] = [scaledLength(shape[0], scale), scaledLength(shape[1], scale)];
  const scaled = channels.map((samples) => resizePlane(samples, shape[0], shape[1], height, width));
  const plan = planTiles(height, width, card.tile, {
    overlap: DEFAULT_PARAMETERS.tileOverlap,
    augment: false,
    ...(card.sides ? { sides: card.sides } : {}),
  });
  const area = plan.tileHeight * plan.tileWidth;
  const step = Math.max(1, plan.tiles.length / MOST_TILES);
  const styles: Float32Array[] = [];
  for (let k = 0; k < plan.tiles.length; k += step) {
    const tile = new Float32Array(3 * area);
    scaled.forEach((samples, c) => {
      const part = tile.subarray(c * area, (c + 1) * area);
      cutTile(samples, height, width, plan, plan.tiles[Math.floor(k)], part);
    });
    styles.push((await network(tile, 1, plan.tileHeight, plan.tileWidth)).slice());
  }
  return styles;
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

function meanOf(rows: readonly Float32Array[]): Float64Array {
  const mean = new Float64Array(rows[0].length);
  for (const row of rows)
    row.forEach((value, i) => {
      mean[i] += value / rows.length;
    });
  return mean;
}

/**
 * A gate that opens for one kind of styles and is shut for another: Fisher's linear discriminant (1936) with shrunk
 * covariance. At the means of both its logit is 18 and −18.
 */
export function fitGate(own: readonly Float32Array[], known: readonly Float32Array[]): Gate {
  const means = [meanOf(own), meanOf(known)];
  const rows = [own, known].flatMap((group, k) =>
    group.map((row) => Float64Array.from(row, (value, i) => value - means[k][i])),
  );
  const variance = rows.reduce((sum, row) => sum + dot(row, row), 0) / rows.length / means[0].length;
  const shrinkage = Math.max(LEAST_SHRINKAGE, SHRINKAGE * variance);
  const difference = means[0].map((value, i) => value - means[1][i]);
  const weights = solve(rows, shrinkage, difference);
  const [at, against] = means.map((mean) => dot(weights, mean));
  const factor = at > against ? (2 * SURE) / (at - against) : 0;
  return {
    weights: Float32Array.from(weights, (value) => value * factor),
    bias: (-factor * (at + against)) / 2,
  };
}

/** Solves (XᵀX / n + shrinkage) w = b by conjugate gradients, which take no more steps than X has rows, and one. */
function solve(rows: readonly Float64Array[], shrinkage: number, b: Float64Array): Float64Array {
  const times = (v: Float64Array) => {
    const out = v.map((value) => value * shrinkage);
    for (const row of rows) {
      const factor = dot(row, v) / rows.length;
      for (let i = 0; i < out.length; i++) out[i] += factor * row[i];
    }
    return out;
  };
  const w = new Float64Array(b.length);
  const rest = b.slice();
  let direction = b.slice();
  let square = dot(rest, rest);
  const enough = square * 1e-16;
  for (let k = 0; k <= rows.length && square > enough; k++) {
    const product = times(direction);
    const length = square / dot(direction, product);
    for (let i = 0; i < w.length; i++) {
      w[i] += length * direction[i];
      rest[i] -= length * product[i];
    }
    const next = dot(rest, rest);
    direction = direction.map((value, i) => rest[i] + (next / square) * value);
    square = next;
  }
  return w;
}
