import type { MeasurementColumn } from '../../core/measure/columns.ts';
import type { Texts } from '../localization/en.ts';

/** Name of a column for people, without its unit. */
export function columnTitle(
  { key, channel }: Pick<MeasurementColumn, 'key' | 'channel'>,
  texts: Texts,
): string {
  const names: Record<string, string> = texts.columns;
  const [, kind] = /^(mean|sd|min|max|integrated)_\d+$/.exec(key) ?? [];
  if (kind) return `${names[kind]}, ${channel}`;
  return names[key] ?? key;
}

/** Name and unit: `Area (µm²)`. */
export function titleWithUnit(column: MeasurementColumn, texts: Texts): string {
  const title = columnTitle(column, texts);
  return column.unit ? `${title} (${column.unit})` : title;
}
