import { de } from './de.ts';
import { en, type Texts } from './en.ts';

const CATALOGUES: Record<string, Texts> = { en, de };

/** The texts in the language of an element: the nearest `lang` attribute, else the browser's, else English. */
export function textsFor(element: Element): Texts {
  let node: Element | null = element;
  while (node) {
    const holder: Element | null = node.closest('[lang]');
    const lang = holder?.getAttribute('lang');
    if (lang) return CATALOGUES[lang.slice(0, 2).toLowerCase()] ?? en;
    const root: Node = node.getRootNode();
    node = root instanceof ShadowRoot ? root.host : null;
  }
  return CATALOGUES[globalThis.navigator?.language.slice(0, 2) ?? 'en'] ?? en;
}
