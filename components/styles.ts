import { css } from 'lit';

/** Colours and native controls shared by all parts. */
export const controlStyles = css`
  :host {
    --_surface: var(--cyto-surface, light-dark(#fbfbfc, #1d2025));
    --_raised: var(--cyto-raised, light-dark(#fff, #282c33));
    --_line: var(--cyto-line, light-dark(#d5dae1, #3a3f48));
    --_text: var(--cyto-text, light-dark(#1c2127, #e8ebef));
    --_quiet: var(--cyto-quiet, light-dark(#566070, #a3acb9));
    --_accent: var(--cyto-accent-control, light-dark(#0b6bcb, #59b0ff));
    --_on-accent: var(--cyto-on-accent, light-dark(#fff, #06213c));
    color-scheme: light dark;
    display: block;
    color: var(--_text);
    font: 13px/1.4 system-ui, sans-serif;
    box-sizing: border-box;
  }
  :host([hidden]) { display: none; }
  :host([theme='dark']) { color-scheme: dark; }
  :host([theme='light']) { color-scheme: light; }
  *, *::before, *::after { box-sizing: border-box; }
  button, select, input[type='number'], summary { font: inherit; color: inherit; }
  button, select, input[type='number'] {
    background: var(--_raised);
    border: 1px solid var(--_line);
    border-radius: 6px;
    padding: 3px 8px;
    min-block-size: 28px;
  }
  select { text-overflow: ellipsis; padding-inline: 6px 2px; }
  button { cursor: pointer; }
  button:hover:not(:disabled) { border-color: var(--_accent); }
  button:disabled { opacity: 0.5; cursor: default; }
  button[aria-pressed='true'] { background: var(--_accent); border-color: var(--_accent); color: var(--_on-accent); }
  button.primary { background: var(--_accent); border-color: var(--_accent); color: var(--_on-accent); font-weight: 600; }
  button.quiet { border-color: transparent; background: none; }
  input[type='range'], input[type='checkbox'], progress { accent-color: var(--_accent); }
  input[type='range'] { min-inline-size: 0; inline-size: 100%; margin: 0; }
  :is(button, select, input, summary):focus-visible { outline: 2px solid var(--_accent); outline-offset: 1px; }
  .quiet-text { color: var(--_quiet); }
  @media (forced-colors: active) {
    button[aria-pressed='true'] { border: 2px solid Highlight; }
  }
`;
