import { css } from 'lit';

export const trainerStyles = css`
  p { margin-block: 6px; }
  ul { list-style: none; margin: 8px 0; padding: 0; border: 1px solid var(--_line); border-radius: 6px; }
  li { display: grid; grid-template-columns: minmax(0, 1fr) max-content; gap: 0 6px; align-items: center; padding: 4px 4px 4px 8px; }
  li + li { border-block-start: 1px solid var(--_line); }
  li b { font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  li button { grid-row: span 2; grid-column: 2; grid-row-start: 1; }
  .fields { display: grid; grid-template-columns: max-content 1fr; gap: 6px 8px; align-items: center; margin-block: 8px; }
  input { font: inherit; color: inherit; background: var(--_raised); border: 1px solid var(--_line); border-radius: 6px; padding: 3px 8px; min-block-size: 28px; min-inline-size: 0; inline-size: 100%; }
  summary { cursor: pointer; color: var(--_quiet); border-radius: 4px; }
  .actions { display: flex; flex-wrap: wrap; gap: 6px; margin-block: 8px; }
  .actions button { flex: 1; min-block-size: 34px; }
  .actions.sets button { min-block-size: 28px; }
  [part='outcome'] .actions button { flex-basis: 40%; }
  [part='outcome'] .actions [part='keep-run'] { flex-basis: 100%; }
  input[type='file'] { display: none; }
  .wide { inline-size: 100%; }
  progress { inline-size: 100%; block-size: 8px; }
  .curve { min-block-size: 0; margin-block: 6px; }
  .curve .u-legend { font-size: 11px; }
  .scores { display: grid; grid-template-columns: 1fr max-content 1fr; gap: 8px; align-items: center; text-align: center; margin-block: 8px; }
  .scores b { display: block; font-size: 20px; font-variant-numeric: tabular-nums; }
  .wide + .wide, p + .wide { margin-block-start: 6px; }
  dialog { inline-size: min(94vw, 1180px); max-block-size: 94vh; border: 1px solid var(--_line); border-radius: 12px; padding: 14px; background: var(--_surface); color: var(--_text); }
  dialog::backdrop { background: rgb(0 0 0 / 0.5); }
  dialog header { display: grid; grid-template-columns: 1fr minmax(0, max-content) max-content; gap: 8px; align-items: center; margin-block-end: 10px; }
  dialog h2 { font-size: 15px; margin: 0; }
  .pair { display: grid; grid-template-columns: 1fr 1fr; gap: 10px; }
  figure { margin: 0; min-inline-size: 0; }
  figure canvas { display: block; inline-size: 100%; max-block-size: 68vh; object-fit: contain; background: #000; border-radius: 6px; }
  figcaption { text-align: center; padding-block: 6px; }
  figcaption b { font-variant-numeric: tabular-nums; }
  .legend { display: flex; flex-wrap: wrap; gap: 4px 18px; border: 0; margin: 6px 0 0; }
  .legend li { display: flex; gap: 6px; padding: 0; border: 0; }
  .legend svg { inline-size: 14px; block-size: 14px; }
  [role='alert'] { color: light-dark(#a3122a, #ff9aa8); }
`;
