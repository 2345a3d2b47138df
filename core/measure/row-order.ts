import { CytoError } from '../errors.ts';
import type { Measurements } from './measurements.ts';

/** How the rows of a table are ordered: by a column, or by `label`. */
export interface SortOrder {
  key: string;
  descending: boolean;
}

/** Values of a column, or the ids for `label`. @throws CytoError `bad-input` for unknown columns */
export function columnValues({ ids, values }: Measurements, key: string): ArrayLike<number> {
  if (key === 'label') return ids;
  if (!Object.hasOwn(values, key)) throw new CytoError('bad-input', `There is no column "${key}".`);
  return values[key];
}

/**
 * Row numbers that pass a filter, sorted; equal values by id, rows without a value last.
 * @param filter as of {@link parseFilter}
 */
export function orderedRows(
  measurements: Measurements,
  sort: SortOrder,
  filter: (row: number) => boolean = () => true,
): Uint32Array {
  const rows: number[] = [];
  for (let row = 0; row < measurements.ids.length; row++) if (filter(row)) rows.push(row);
  const values = columnValues(measurements, sort.key);
  const sign = sort.descending ? -1 : 1;
  rows.sort((a, b) => {
    const [p, q] = [values[a], values[b]];
    if (p === q) return a - b;
    if (Number.isNaN(p) || Number.isNaN(q))
      return Number.isNaN(p) && Number.isNaN(q) ? a - b : Number.isNaN(p) ? 1 : -1;
    return p < q ? -sign : sign;
  });
  return Uint32Array.from(rows);
}
