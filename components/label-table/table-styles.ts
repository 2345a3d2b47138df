import { css } from 'lit';

/** Height of a row in CSS pixels. */
export const ROW_HEIGHT = 26;

export const tableStyles = css`
  :host { display: flex; flex-direction: column; min-block-size: 0; block-size: 320px; }
  .bar { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; padding: 6px 10px; }
  .bar input[type='search'] { flex: 1 1 14em; min-inline-size: 8em; font: inherit; color: inherit; background: var(--_raised); border: 1px solid var(--_line); border-radius: 6px; padding: 3px 8px; min-block-size: 28px; }
  .bar input[type='search']:focus-visible { outline: 2px solid var(--_accent); outline-offset: 1px; }
  .bar input[aria-invalid='true'] { border-color: light-dark(#a3122a, #ff9aa8); }
  .count { font-variant-numeric: tabular-nums; color: var(--_quiet); }
  .problem { color: light-dark(#a3122a, #ff9aa8); padding: 0 10px 6px; margin: 0; }
  .menu { position: relative; }
  .menu > div { position: absolute; inset-inline-end: 0; inset-block-start: calc(100% + 4px); z-index: 4; inline-size: max-content; max-block-size: 15em; overflow: auto; display: grid; gap: 2px; padding: 8px 10px; background: var(--_raised); border: 1px solid var(--_line); border-radius: 8px; box-shadow: 0 6px 24px rgb(0 0 0 / 0.25); }
  .menu label { display: flex; gap: 6px; align-items: center; }
  .parts { flex: 1; min-block-size: 0; display: flex; }
  .grid { flex: 1 1 60%; min-inline-size: 0; overflow: auto; border-block-start: 1px solid var(--_line); outline-offset: -2px; position: relative; }
  .grid:focus-visible { outline: 2px solid var(--_accent); }
  [role='row'] { display: grid; grid-template-columns: var(--_widths); block-size: ${ROW_HEIGHT}px; inline-size: 100%; min-inline-size: var(--_least); }
  .head { position: sticky; inset-block-start: 0; z-index: 1; background: var(--_surface); inline-size: 100%; min-inline-size: var(--_least); }
  .head [role='row'] { block-size: auto; border-block-end: 1px solid var(--_line); }
  [role='columnheader'] { display: flex; align-items: end; justify-content: end; padding: 4px 8px; font-weight: 600; text-align: end; cursor: pointer; line-height: 1.25; overflow-wrap: anywhere; user-select: none; }
  [role='columnheader']:first-child, [role='gridcell']:first-child { justify-content: start; text-align: start; }
  [role='columnheader'] small { font-weight: 400; color: var(--_quiet); }
  [role='columnheader'] .arrow { font-size: 9px; margin-inline-end: 4px; flex: none; }
  .body { position: relative; min-inline-size: var(--_least); user-select: none; }
  .body [role='row'] { position: absolute; inset-inline-start: 0; cursor: default; }
  .body [role='row']:nth-child(even) { background: color-mix(in srgb, var(--_text) 3%, transparent); }
  .body [role='row'].hovered { background: color-mix(in srgb, var(--_accent) 14%, transparent); }
  .body [role='row'][aria-selected='true'] { background: color-mix(in srgb, var(--_accent) 30%, transparent); }
  [role='gridcell'] { padding: 3px 8px; text-align: end; font-variant-numeric: tabular-nums; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
  .grid:focus-visible .active { outline: 2px solid var(--_accent); outline-offset: -2px; border-radius: 3px; }
  .swatch { display: inline-block; inline-size: 10px; block-size: 10px; border-radius: 3px; margin-inline-end: 7px; border: 1px solid rgb(128 128 128 / 0.5); }
  .empty { padding: 16px; color: var(--_quiet); }
  .plots { flex: 1 1 40%; min-inline-size: 260px; max-inline-size: 520px; border-inline-start: 1px solid var(--_line); border-block-start: 1px solid var(--_line); padding: 8px 10px; overflow: auto; display: flex; flex-direction: column; }
  .plot { flex: 1 1 0; min-block-size: 150px; overflow: hidden; }
  .plots p { margin: 0; font-size: 12px; }
  .axes { display: grid; grid-template-columns: max-content minmax(0, 1fr) max-content minmax(0, 1fr); gap: 4px 8px; align-items: center; margin-block-end: 6px; }
  .axes select { min-inline-size: 0; }
  .u-select { background: color-mix(in srgb, var(--_accent) 25%, transparent); }
  .visually-hidden { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  @media (width < 760px) {
    .parts { flex-direction: column; }
    .plots { max-inline-size: none; border-inline-start: 0; }
  }
  @media (forced-colors: active) {
    .body [role='row'][aria-selected='true'] { outline: 2px solid Highlight; outline-offset: -2px; }
  }
`;
