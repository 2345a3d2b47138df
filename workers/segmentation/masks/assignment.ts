/**
 * Minimum-cost assignment of rows to columns (Jonker–Volgenant shortest augmenting paths with potentials).
 * @param cost row-major [rows, columns] with rows ≤ columns
 * @returns column of each row
 */
export function assignRows(cost: Float64Array, rows: number, columns: number): Int32Array {
  const potentialRow = new Float64Array(rows + 1);
  const potentialColumn = new Float64Array(columns + 1);
  const rowOf = new Int32Array(columns + 1); // 0: free
  const previous = new Int32Array(columns + 1);
  for (let row = 1; row <= rows; row++) {
    rowOf[0] = row;
    const least = new Float64Array(columns + 1).fill(Number.POSITIVE_INFINITY);
    const done = new Uint8Array(columns + 1);
    let column = 0;
    do {
      done[column] = 1;
      const current = rowOf[column];
      let delta = Number.POSITIVE_INFINITY;
      let nearest = 0;
      for (let j = 1; j <= columns; j++) {
        if (done[j]) continue;
        const reduced = cost[(current - 1) * columns + j - 1] - potentialRow[current] - potentialColumn[j];
        if (reduced < least[j]) {
          least[j] = reduced;
          previous[j] = column;
        }
        if (least[j] < delta) {
          delta = least[j];
          nearest = j;
        }
      }
      for (let j = 0; j <= columns; j++) {
        if (done[j]) {
          potentialRow[rowOf[j]] += delta;
          potentialColumn[j] -= delta;
        } else {
          least[j] -= delta;
        }
      }
      column = nearest;
    } while (rowOf[column] !== 0);
    do {
      const before = previous[column];
      rowOf[column] = rowOf[before];
      column = before;
    } while (column !== 0);
  }
  const assigned = new Int32Array(rows);
  for (let j = 1; j <= columns; j++) if (rowOf[j] > 0) assigned[rowOf[j] - 1] = j - 1;
  return assigned;
}

/** A pair that may be matched, with its cost (negative: worth matching). */
export interface Pair {
  row: number;
  column: number;
  cost: number;
}

/**
 * Minimum-cost matching of a sparse problem in which every pair not listed costs 0. Solved per connected component,
 * so that thousands of cells cost no more than their neighbourhoods.
 * @returns the matched pairs among those listed
 */
export function matchPairs(pairs: readonly Pair[]): Pair[] {
  const ofRow = new Map<number, Pair[]>();
  const ofColumn = new Map<number, Pair[]>();
  for (const pair of pairs) {
    (ofRow.get(pair.row) ?? ofRow.set(pair.row, []).get(pair.row)!).push(pair);
    (ofColumn.get(pair.column) ?? ofColumn.set(pair.column, []).get(pair.column)!).push(pair);
  }
  const matched: Pair[] = [];
  const seen = new Set<number>();
  for (const first of ofRow.keys()) {
    if (seen.has(first)) continue;
    const rows: number[] = [];
    const columns = new Set<number>();
    const queue = [first];
    seen.add(first);
    while (queue.length > 0) {
      const row = queue.pop()!;
      rows.push(row);
      for (const { column } of ofRow.get(row)!) {
        if (columns.has(column)) continue;
        columns.add(column);
        for (const other of ofColumn.get(column)!) {
          if (seen.has(other.row)) continue;
          seen.add(other.row);
          queue.push(other.row);
        }
      }
    }
    matched.push(...matchComponent(rows, [...columns], ofRow));
  }
  return matched;
}

function matchComponent(rows: number[], columns: number[], ofRow: Map<number, Pair[]>): Pair[] {
  if (rows.length === 1 && columns.length === 1) return ofRow.get(rows[0])!;
  const place = new Map(columns.map((column, j) => [column, j]));
  const wide = Math.max(rows.length, columns.length);
  const cost = new Float64Array(rows.length * wide);
  const pairAt = new Map<number, Pair>();
  rows.forEach((row, i) => {
    for (const pair of ofRow.get(row)!) {
      const at = i * wide + place.get(pair.column)!;
      cost[at] = pair.cost;
      pairAt.set(at, pair);
    }
  });
  const assigned = assignRows(cost, rows.length, wide);
  return rows.flatMap((_, i) => pairAt.get(i * wide + assigned[i]) ?? []);
}
