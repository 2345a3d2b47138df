/** What the pointer does. `pan` belongs to the viewer, the others to its label editor. */
export const TOOLS = ['pan', 'paint', 'erase', 'fill', 'pick', 'lasso', 'merge', 'split', 'delete'] as const;
export type Tool = (typeof TOOLS)[number];

/** Which voxels paint may cover; the editor's `B` and the held Ctrl key switch between all and the others. */
export const OVERWRITES = ['all', 'empty', 'label'] as const;
export type OverwritePolicy = (typeof OVERWRITES)[number];

/** Operations on whole cells that are shown before they are accepted. */
export const OPERATIONS = [
  'grow',
  'shrink',
  'smooth',
  'fill-holes',
  'interpolate',
  'remove-small',
  'remove-border',
  'relabel',
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Operations on the chosen cell; the others are on all. */
export const CELL_OPERATIONS: readonly Operation[] = [
  'grow',
  'shrink',
  'smooth',
  'fill-holes',
  'interpolate',
];
