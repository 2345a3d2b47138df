import { svg } from 'lit';
import type { Tool } from '../viewer/editing/tools.ts';

/** Signs of the tools, drawn for 20×20 units with lines of the text's colour. */
const PATHS: Record<Tool, string> = {
  pan: 'M10 2v16M2 10h16M10 2 7.5 4.5M10 2l2.5 2.5M10 18l-2.5-2.5M10 18l2.5-2.5M2 10l2.5-2.5M2 10l2.5 2.5M18 10l-2.5-2.5M18 10l-2.5 2.5',
  paint:
    'M17 3 9 11M7.5 11.5c-2 0-3 1.5-3 3.2 0 1-.8 1.8-2 2 1.500.8 6.500 1 7.200-2 .3-1.700-.7-3.200-2.200-3.200z',
  erase: 'M8 17h9M4 12l7-8 6 5-6.500 8H8z M7.500 8l6 5',
  fill: 'M9 3l7 7-6 6a1.500 1.500 0 0 1-2 0l-5-5a1.500 1.500 0 0 1 0-2l6-6M3 10h13M18 13c1 1.500 1 3 0 3s-1-1.500 0-3z',
  pick: 'M11 6l3 3M13 3.500c1-1 2.500-.8 3.300 0 .8.8 1 2.300 0 3.300L14.500 8.500 11.500 5.500zM12 7l-7 7-1.500 2.500L6 15l7-7',
  lasso:
    'M10 3c4.500 0 7.500 2.200 7.500 5s-3 5-7.500 5S2.500 10.800 2.500 8 5.500 3 10 3zM5.500 12.200c-1 1.500.5 2.800 1.500 2.300s.5-2-.5-2c-1 2-1 3-.5 5',
  merge: 'M7.500 10a4.500 4.500 0 1 0 0 .01M12.500 5.500a4.500 4.500 0 1 1 0 9M5 10h10M12 7l3 3-3 3',
  split: 'M10 2v3M10 7v3M10 12v3M10 17v1M7 5a6 6 0 0 0 0 10M13 5a6 6 0 0 1 0 10',
  delete: 'M4 5.500h12M8 5.500V3.500h4v2M5.500 5.500l.8 11h7.400l.8-11M8.500 8.500v5.500M11.500 8.500v5.500',
};

const ACTION_PATHS = {
  undo: 'M4 8h8a4.500 4.500 0 0 1 0 9H8M4 8l4-4M4 8l4 4',
  redo: 'M16 8H8a4.500 4.500 0 0 0 0 9h4M16 8l-4-4M16 8l-4 4',
};

const icon = (path: string) =>
  svg`<svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"><path d=${path}></path></svg>`;

export const toolIcon = (tool: Tool) => icon(PATHS[tool]);
export const actionIcon = (action: keyof typeof ACTION_PATHS) => icon(ACTION_PATHS[action]);
