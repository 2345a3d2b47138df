import { zeros } from './shape.ts';

/** Pairs that may be matched; all arrays of one length, each pair once. */
export interface Pairs {
  /** Ascending, from 0. */
  row: Int32Array;
  column: Int32Array;
  /** ≤ 0; negative: worth matching. */
  cost: Float64Array;
}

/** Places waiting for their turn, the nearest first (binary heap). */
class Queue {
  readonly #places: number[] = [];
  readonly #distances: number[] = [];

  get size(): number {
    return this.#places.length;
  }

  clear(): void {
    this.#places.length = 0;
    this.#distances.length = 0;
  }

  push(place: number, distance: number): void {
    let at = this.#places.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (this.#distances[above] <= distance) break;
      this.#places[at] = this.#places[above];
      this.#distances[at] = this.#distances[above];
      at = above;
    }
    this.#places[at] = place;
    this.#distances[at] = distance;
  }

  /** Removes the nearest place. */
  pop(): { place: number; distance: number } {
    const nearest = { place: this.#places[0], distance: this.#distances[0] };
    const place = this.#places.pop()!;
    const distance = this.#distances.pop()!;
    const { length } = this.#places;
    for (let at = 0; length > 0; ) {
      let below = 2 * at + 1;
      if (below + 1 < length && this.#distances[below + 1] < this.#distances[below]) below++;
      if (below >= length || this.#distances[below] >= distance) {
        this.#places[at] = place;
        this.#distances[at] = distance;
        break;
      }
      this.#places[at] = this.#places[below];
      this.#distances[at] = this.#distances[below];
      at = below;
    }
    return nearest;
  }
}

/**
 * Minimum-cost matching of a sparse problem in which every pair not listed costs 0, by shortest augmenting paths with
 * potentials (Dijkstra on reduced costs). A search reaches only as far as it pays, so that a million cells that all
 * touch cost no more than their neighbourhoods.
 * @returns indices of the matched pairs, in the order of their rows
 */
export function matchPairs({ row: rowOf, column: columnOf, cost: costOf }: Pairs): Int32Array {
  const rows = rowOf.length === 0 ? 0 : rowOf[rowOf.length - 1] + 1;
  let columns = 0;
  for (const column of columnOf) columns = Math.max(columns, column + 1);
  const begin = zeros(Uint32Array, rows + 1);
  for (const row of rowOf) begin[row + 1]++;
  for (let row = 0; row < rows; row++) begin[row + 1] += begin[row];

  // A place is a column or, from `columns` on, the state of a row that it has no partner, which costs 0.
  const places = columns + rows;
  const taken = zeros(Int32Array, places).fill(-1); // row of each place
  const pairAt = zeros(Int32Array, places).fill(-1);
  const placeOf = zeros(Int32Array, rows).fill(-1);
  const potential = zeros(Float64Array, places);
  const distance = zeros(Float64Array, places);
  const from = zeros(Int32Array, places); // row from which a place is reached
  const by = zeros(Int32Array, places); // and by which pair
  const reached = zeros(Int32Array, places).fill(-1); // search that reached a place
  const queue = new Queue();

  for (let start = 0; start < rows; start++) {
    let least = 0;
    let best = -1;
    for (let k = begin[start]; k < begin[start + 1]; k++) {
      const cost = costOf[k] - potential[columnOf[k]];
      if (cost > least || (cost === least && best >= 0 && taken[columnOf[best]] < 0)) continue;
      least = cost;
      best = k;
    }
    if (best >= 0 && taken[columnOf[best]] < 0) {
      // The best place is free: the way there has length 0 and changes nothing else.
      taken[columnOf[best]] = start;
      pairAt[columnOf[best]] = best;
      placeOf[start] = columnOf[best];
      continue;
    }
    queue.clear();
    const done: number[] = [];
    /** Looks from a row at `length` from the start at all places it may take; `least` is its own potential. */
    const look = (row: number, length: number, least: number): void => {
      const reach = (place: number, cost: number, pair: number): void => {
        const far = length + Math.max(0, cost - potential[place] - least);
        if (reached[place] === start && far >= distance[place]) return;
        reached[place] = start;
        distance[place] = far;
        from[place] = row;
        by[place] = pair;
        queue.push(place, far);
      };
      for (let k = begin[row]; k < begin[row + 1]; k++) reach(columnOf[k], costOf[k], k);
      reach(columns + row, 0, -1);
    };
    look(start, 0, least);
    let end = -1;
    let shortest = 0;
    while (end < 0) {
      const { place, distance: length } = queue.pop();
      if (length > distance[place]) continue; // reached by a shorter way since
      if (taken[place] < 0) {
        end = place;
        shortest = length;
        break;
      }
      done.push(place);
      const row = taken[place];
      const cost = pairAt[place] < 0 ? 0 : costOf[pairAt[place]];
      look(row, length, cost - potential[place]);
    }
    for (const place of done) potential[place] -= shortest - distance[place];
    for (let place = end; place >= 0; ) {
      const row = from[place];
      const before = placeOf[row];
      taken[place] = row;
      pairAt[place] = by[place];
      placeOf[row] = place;
      place = before;
    }
  }
  return Int32Array.from(
    placeOf.filter((place) => place >= 0 && place < columns),
    (place) => pairAt[place],
  );
}
