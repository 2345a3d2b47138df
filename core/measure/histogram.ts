/**
 * Counts in bins of equal width (rule of D. Freedman and P. Diaconis, 1981; 5 to 60 bins).
 * @returns edges, one more than counts
 */
export function histogram(
  values: readonly number[],
  given?: readonly number[],
): { edges: number[]; counts: number[] } {
  let edges = given ? [...given] : undefined;
  if (!edges) {
    const sorted = Float64Array.from(values).sort();
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    const [low, high] = [sorted[0], sorted[sorted.length - 1]];
    const width = (2 * (at(0.75) - at(0.25))) / Math.cbrt(sorted.length);
    const wanted = width > 0 ? Math.ceil((high - low) / width) : 1;
    const bins = high > low ? Math.min(60, Math.max(5, wanted)) : 1;
    const step = (high - low || 1) / bins;
    edges = Array.from({ length: bins + 1 }, (_, k) => low + k * step);
  }
  const counts = new Array<number>(edges.length - 1).fill(0);
  const [low, high] = [edges[0], edges[edges.length - 1]];
  for (const value of values) {
    const bin = Math.min(counts.length - 1, Math.floor(((value - low) / (high - low)) * counts.length));
    counts[bin]++;
  }
  return { edges, counts };
}
