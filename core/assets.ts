/**
 * Where the package's own files (workers, wasm, models) are served from: next to the built modules unless the
 * host page sets another base. Every built module lies in one flat folder, so `import.meta.url` of any of them
 * names it.
 */
let base: URL | undefined;

/** Sets the address under which the package's `dist/` folder is served; relative to the page. */
export function setAssetBase(address: string | URL): void {
  const url = new URL(address, globalThis.document?.baseURI ?? import.meta.url);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  base = url;
}

/** Absolute address of a file of the package, e.g. `assetUrl('models/default/rdf.yaml')`. */
export function assetUrl(path: string): URL {
  return new URL(path, base ?? new URL('./', import.meta.url));
}
