import { css } from 'lit';

export const segmenterStyles = css`
  .fields { display: grid; grid-template-columns: fit-content(42%) 1fr; gap: 6px 8px; align-items: center; }
  .fields > :is(select, input[type='number'], .with-unit) { min-inline-size: 0; inline-size: 100%; }
  .wide { grid-column: 1 / -1; display: flex; gap: 8px; align-items: center; }
  .wide select { flex: 1; min-inline-size: 0; }
  .with-unit { display: flex; gap: 4px; align-items: center; }
  .with-unit input { flex: 1; min-inline-size: 0; }
  .with-unit .ring { padding-inline: 6px; }
  .bounds input { padding-inline: 4px; appearance: textfield; }
  .bounds input::-webkit-inner-spin-button { display: none; }
  .cost { margin-block: 8px 0; }
  .check { display: flex; gap: 6px; align-items: center; }
  .actions { display: flex; gap: 6px; margin-block: 10px; }
  .actions button { flex: 1; min-block-size: 34px; }
  progress { inline-size: 100%; block-size: 8px; }
  .summary { margin-block: 6px; }
  .summary b { font-size: 18px; display: block; }
  .threshold { display: grid; grid-template-columns: 1fr max-content; gap: 0 8px; margin-block: 6px; }
  .threshold input { grid-column: 1 / -1; }
  .threshold output { font-variant-numeric: tabular-nums; color: var(--_quiet); }
  .outputs { display: flex; flex-wrap: wrap; gap: 4px 12px; margin-block: 10px; }
  .outputs label { display: flex; gap: 5px; align-items: center; }
  details { margin-block-start: 8px; }
  details .fields { margin-block-start: 6px; }
  summary { cursor: pointer; color: var(--_quiet); border-radius: 4px; }
  h3 { font-size: inherit; margin-block: 12px 2px; }
  [role='alert'] { color: light-dark(#a3122a, #ff9aa8); margin-block: 6px; }
`;
