/**
 * The table of relative positions of an axis, resized linearly along its length to all distances 1−side … side−1
 * (half-pixel centres, no antialiasing) and laid out by the positions of query and key (spec §1).
 * @param table [length, width]
 * @returns [side, width, side]: position of the query, channel, position of the key
 */
export function relativePositions(
  table: Float32Array,
  length: number,
  width: number,
  side: number,
): Float32Array<ArrayBuffer> {
  const distances = 2 * side - 1;
  const resized = new Float32Array(distances * width);
  for (let i = 0; i < distances; i++) {
    const at = Math.max(0, ((i + 0.5) * length) / distances - 0.5);
    const low = Math.min(Math.floor(at), length - 1);
    const high = Math.min(low + 1, length - 1);
    const share = at - low;
    for (let c = 0; c < width; c++)
      resized[i * width + c] = table[low * width + c] * (1 - share) + table[high * width + c] * share;
  }
  const out = new Float32Array(side * width * side);
  for (let query = 0; query < side; query++) {
    for (let key = 0; key < side; key++) {
      const row = (query - key + side - 1) * width;
      for (let c = 0; c < width; c++) out[(query * width + c) * side + key] = resized[row + c];
    }
  }
  return out;
}
