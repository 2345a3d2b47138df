/** Gives the whole numbers from 1 that are not `used`, each once, ascending. */
export function freeIds(used: ReadonlySet<number>): () => number {
  let free = 0;
  return () => {
    do free++;
    while (used.has(free));
    return free;
  };
}
