import type { MeasurementColumn } from '../measure/columns.ts';
import type { Measurements } from '../measure/measurements.ts';

/** What a CSV of measurements holds. */
export interface TableCsvOptions {
  /** Columns and their order; by default all. */
  columns?: readonly MeasurementColumn[];
  /** Row numbers and their order; by default all, by label. */
  rows?: ArrayLike<number>;
  /** Comment lines (#) before the header: source, model, parameters. */
  provenance?: Record<string, string | number>;
}

/** Header of a column: key and unit, `area_µm2`; intensities name their channel. */
export function csvHeader({ key, unit, channel }: MeasurementColumn): string {
  const named = channel === undefined ? key : `${key.replace(/_\d+$/, '')}_${channel}`;
  const symbol = unit.replace('²', '2').replace('³', '3').replace('°', 'deg');
  return symbol ? `${named}_${symbol}` : named;
}

/** Measurements as comma-separated values; decimal points, empty where there is no value. */
export function tableCsv(measurements: Measurements, options: TableCsvOptions = {}): string {
  const { ids, values } = measurements;
  const columns = options.columns ?? measurements.columns;
  const rows = options.rows ?? ids.map((_, row) => row);
  const comments = Object.entries(options.provenance ?? {}).map(
    ([key, value]) => `# ${key}: ${String(value).replace(/[\r\n]+/g, ' ')}`,
  );
  const lines = Array.from(rows, (row) =>
    [ids[row], ...columns.map(({ key }) => number(values[key][row]))].join(','),
  );
  return [...comments, ['label', ...columns.map(csvHeader).map(quoted)].join(','), ...lines, ''].join('\n');
}

function number(value: number): string {
  return Number.isNaN(value) ? '' : String(Number(value.toPrecision(9)));
}

/** Fields with commas or quotes, as RFC 4180 has them. */
function quoted(field: string): string {
  return /[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
