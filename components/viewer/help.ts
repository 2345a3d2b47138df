import { css, html, type TemplateResult } from 'lit';
import type { Texts } from '../localization/en.ts';
import { type ActionId, keysOf, keyText, SHORTCUTS, type Shortcuts } from './shortcuts.ts';

const GROUPS = ['view', 'cursor', 'labels', 'tool', 'brush', 'edit', 'review'] as const;

export const helpStyles = css`
  dialog.help {
    max-inline-size: min(820px, 92vw);
    max-block-size: 86vh;
    padding: 14px 20px 20px;
    border: 1px solid #4a515c;
    border-radius: 12px;
    background: #1d2025;
    color: #e8ebef;
    font: 13px/1.5 system-ui, sans-serif;
  }
  dialog.help::backdrop { background: rgb(0 0 0 / 0.5); }
  .help header { display: flex; align-items: center; justify-content: space-between; }
  .help h2 { font-size: 16px; margin: 0; }
  .help h3 { font-size: 12px; text-transform: uppercase; letter-spacing: 0.06em; color: #a3acb9; margin: 0 0 2px; }
  .help .columns { columns: 3 220px; column-gap: 28px; }
  .help section { break-inside: avoid-column; padding-block-start: 10px; }
  .help dl { margin: 0; }
  .help dl div { display: flex; gap: 10px; justify-content: space-between; padding-block: 1px; }
  .help dd { margin: 0; text-align: end; }
  .help kbd { font: 12px ui-monospace, monospace; border: 1px solid #59616d; border-radius: 4px; padding: 0 5px; background: #282c33; white-space: nowrap; }
  .help button { border: 1px solid #59616d; border-radius: 6px; background: #282c33; color: inherit; font: inherit; min-inline-size: 28px; min-block-size: 28px; cursor: pointer; }
`;

/** The keys that work in a focused pane, as the host has set them, in groups. */
export function helpList(texts: Texts, changes: Shortcuts): TemplateResult {
  const actions = Object.keys(SHORTCUTS) as ActionId[];
  const group = (name: (typeof GROUPS)[number]) => {
    const listed = actions.filter(
      (action) => action.startsWith(`${name}.`) && keysOf(action, changes).length > 0,
    );
    if (listed.length === 0) return '';
    return html`<section><h3>${texts.actionGroups[name]}</h3><dl>
      ${listed.map(
        (action) => html`<div><dt>${texts.actions[action]}</dt>
          <dd>${keysOf(action, changes).map((key) => html`<kbd>${keyText(key, texts.keyNames)}</kbd> `)}</dd></div>`,
      )}</dl></section>`;
  };
  return html`<header><h2>${texts.shortcuts}</h2>
      <form method="dialog"><button aria-label=${texts.dismiss}>✕</button></form></header>
    <div class="columns" tabindex="0" role="group" aria-label=${texts.shortcuts}>${GROUPS.map(group)}
      <section><h3>${texts.pointer}</h3><dl>
        ${texts.pointerHints.map(([what, how]) => html`<div><dt>${what}</dt><dd>${how}</dd></div>`)}</dl></section></div>`;
}
