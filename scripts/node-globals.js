/**
 * Stand-ins that let the built page entries be imported in Node (server rendering, tests): esbuild replaces the
 * free globals of these names by these exports. In a browser they are the real ones.
 */
export const HTMLElement = globalThis.HTMLElement ?? class {};
export const document = globalThis.document ?? { createTreeWalker: () => ({}) };
