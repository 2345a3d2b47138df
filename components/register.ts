/**
 * Registers a custom element. A tag that is already taken keeps its first class, with one warning, so that two
 * copies of the package on a page do not break each other.
 */
export function register(tag: string, element: CustomElementConstructor): void {
  // Nothing to register where there are no custom elements (Node, workers).
  if (typeof customElements === 'undefined') return;
  const known = customElements.get(tag);
  if (known === undefined) customElements.define(tag, element);
  else if (known !== element) {
    console.warn(`cytopane: <${tag}> is already registered; the first registration is kept.`);
  }
}
