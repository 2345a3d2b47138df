/**
 * Gives the memory of arrays back at once, where the browser can. It waits for the next collection otherwise, until
 * which the arrays of dozens of planes pile up. They are empty afterwards; views take the whole buffer with them.
 */
export function giveBack(...arrays: ArrayBufferView[]): void {
  for (const { buffer } of arrays) {
    const { transfer } = buffer as ArrayBuffer & { transfer?: (length: number) => ArrayBuffer };
    if (buffer.byteLength > 0) transfer?.call(buffer, 0);
  }
}
