/** A bar of round physical length. */
export interface ScaleBar {
  /** CSS pixels. */
  width: number;
  /** For people, such as `20 µm`. */
  text: string;
}

const METRIC = ['pm', 'nm', 'µm', 'mm', 'm'];

/**
 * The longest bar of 1, 2 or 5 times a power of ten that fits; metric units change with the magnification.
 * @param scale CSS pixels per unit
 * @param unit a UCUM-like symbol; metres and their thousandths are converted, others kept
 * @param limit widest bar in CSS pixels
 */
export function scaleBar(scale: number, unit: string, limit: number): ScaleBar | undefined {
  const longest = limit / scale;
  if (!(longest > 0 && Number.isFinite(longest))) return undefined;
  const power = 10 ** Math.floor(Math.log10(longest));
  const step = [5, 2, 1].find((factor) => factor * power <= longest * (1 + 1e-9)) ?? 1;
  const length = step * power;
  // Whole pixels are the least that an uncalibrated image has.
  if (unit === 'px' && length < 1) return undefined;
  return { width: length * scale, text: withUnit(length, unit) };
}

/** A length with the metric unit that makes its number 1…999. */
export function withUnit(length: number, unit: string): string {
  let index = METRIC.indexOf(unit === 'um' || unit === 'micron' || unit === 'μm' ? 'µm' : unit);
  if (index < 0) return `${round(length)} ${unit}`;
  let value = length;
  while (value >= 1000 && index < METRIC.length - 1) {
    value /= 1000;
    index++;
  }
  while (value < 1 - 1e-9 && index > 0) {
    value *= 1000;
    index--;
  }
  return `${round(value)} ${METRIC[index]}`;
}

function round(value: number): string {
  return String(Number(value.toPrecision(6)));
}
