import { css } from 'lit';

export const omeroPanelStyles = css`
  section + section { margin-block-start: 14px; padding-block-start: 12px; border-block-start: 1px solid var(--_line); }
  h2 { font-size: 12px; text-transform: uppercase; letter-spacing: 0.06em; color: var(--_quiet); margin-block: 0 8px; }
  h2:focus { outline: none; }
  h3 { font-size: 15px; margin: 0 0 6px; overflow-wrap: anywhere; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 10px; margin: 0; }
  dt { color: var(--_quiet); }
  dd { margin: 0; overflow-wrap: anywhere; }
  form { display: grid; gap: 8px; }
  form label { display: grid; gap: 2px; color: var(--_quiet); }
  input:not([type='checkbox']) { font: inherit; color: inherit; background: var(--_raised); border: 1px solid var(--_line); border-radius: 6px; padding: 3px 8px; min-block-size: 28px; }
  .checks { display: grid; grid-template-columns: 1fr 1fr; gap: 4px 8px; margin-block-end: 10px; }
  .checks label { display: flex; gap: 6px; align-items: center; }
  .wide { inline-size: 100%; min-block-size: 34px; }
  select.wide { margin-block-end: 10px; }
  progress { inline-size: 100%; block-size: 8px; }
  ul { list-style: none; margin: 0 0 8px; padding: 0; display: grid; gap: 8px; }
  li { display: grid; gap: 4px; border: 1px solid var(--_line); border-radius: 8px; padding: 8px; }
  .row { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; }
  .badge { display: inline-block; padding: 0 8px; border-radius: 999px; border: 1px solid currentColor; font-size: 12px; }
  .badge.lossy { color: light-dark(#9a4a00, #ffb46b); }
  .alert { padding: 8px 10px; margin-block: 8px 0; border-radius: 8px; background: light-dark(#fdecee, #4a1820); color: light-dark(#7c0d20, #ffd5da); overflow-wrap: anywhere; }
  .note { margin-block: 8px 0; color: var(--_quiet); }
`;
