import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { matchPairs, type Pairs } from '../../../workers/segmentation/masks/assignment.ts';
import { randomOf } from '../kernels-comparison.ts';

/** The least cost there is, by trying everything. */
function leastCost({ row, column, cost }: Pairs, from = 0, used = 0): number {
  if (from === row.length) return 0;
  let next = from;
  while (next < row.length && row[next] === row[from]) next++;
  let least = leastCost({ row, column, cost }, next, used);
  for (let k = from; k < next; k++) {
    if (used & (1 << column[k])) continue;
    least = Math.min(least, cost[k] + leastCost({ row, column, cost }, next, used | (1 << column[k])));
  }
  return least;
}

describe('matching of cells', () => {
  it('costs as little as the best of all matchings', () => {
    for (let seed = 0; seed < 400; seed++) {
      const random = randomOf(seed);
      const [rows, columns] = [1 + Math.floor(7 * random()), 1 + Math.floor(7 * random())];
      const density = random();
      const found: number[][] = [];
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < columns; c++)
          // Few different costs, so that ties are common.
          if (random() < density) found.push([r, c, -Math.ceil(random() * (seed % 2 ? 3 : 1000)) / 8]);
      const pairs: Pairs = {
        row: Int32Array.from(found, ([r]) => r),
        column: Int32Array.from(found, ([, c]) => c),
        cost: Float64Array.from(found, ([, , cost]) => cost),
      };
      const matched = matchPairs(pairs);
      const distinct = (ids: Int32Array) => new Set(Array.from(matched, (k) => ids[k])).size;
      assert.equal(distinct(pairs.row), matched.length, 'each row once');
      assert.equal(distinct(pairs.column), matched.length, 'each column once');
      const cost = matched.reduce((sum, k) => sum + pairs.cost[k], 0);
      assert.ok(Math.abs(cost - leastCost(pairs)) < 1e-9, `seed ${seed}: ${cost}, not ${leastCost(pairs)}`);
    }
  });
});
