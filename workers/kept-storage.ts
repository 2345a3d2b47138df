/** Less than the ten minutes after which Chromium lets go of what private windows store. */
const LOOK_MS = 4 * 60_000;

/**
 * Looks at the origin's private storage again and again while a worker needs its files. In private windows Chromium (156)
 * keeps them in memory and loses them, open ones included, when the storage was not used for ten minutes.
 * @returns what ends it
 */
export function keepStorage(): () => void {
  const timer = setInterval(() => {
    look().catch((error: unknown) => console.debug('cytopane:', error));
  }, LOOK_MS);
  return () => clearInterval(timer);
}

async function look(): Promise<void> {
  const root = await navigator.storage?.getDirectory();
  if (!root) return;
  // To ask for the root alone is no use of the storage; to read its entries is.
  for await (const _ of root.values());
}
