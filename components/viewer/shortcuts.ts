/**
 * The keys of a focused pane: action ids → keys, each `Mod+` (Ctrl, or Cmd on a Mac), `Shift+` and a key as
 * `KeyboardEvent.key` names it. A host overrides any by the viewer's `shortcuts`; an empty list takes a key away.
 */
export const SHORTCUTS = {
  'view.pan-left': ['ArrowLeft'],
  'view.pan-right': ['ArrowRight'],
  'view.pan-up': ['ArrowUp'],
  'view.pan-down': ['ArrowDown'],
  'view.zoom-in': ['+', '='],
  'view.zoom-out': ['-'],
  'view.previous-plane': [','],
  'view.next-plane': ['.'],
  'view.planes-back': ['PageUp'],
  'view.planes-on': ['PageDown'],
  'view.previous-time': ['Shift+,', '<'],
  'view.next-time': ['Shift+.', '>'],
  'view.fit': ['Home'],
  'view.help': ['?'],
  'labels.outlines': ['O'],
  'labels.hide': ['H'],
  'labels.only-selected': ['S'],
  'cursor.left': ['Shift+ArrowLeft'],
  'cursor.right': ['Shift+ArrowRight'],
  'cursor.up': ['Shift+ArrowUp'],
  'cursor.down': ['Shift+ArrowDown'],
  'tool.pan': ['Q'],
  'tool.paint': ['P'],
  'tool.erase': ['E'],
  'tool.fill': ['F'],
  'tool.pick': ['L'],
  'tool.lasso': ['G'],
  'tool.merge': ['U'],
  'tool.split': ['K'],
  'tool.delete': ['R'],
  'brush.smaller': ['['],
  'brush.larger': [']'],
  'edit.protect': ['B'],
  'edit.three-dimensions': ['T'],
  'edit.new-label': ['M'],
  'edit.swap-erase': ['X'],
  'edit.delete': ['Delete', 'Backspace'],
  'edit.interpolate': ['V'],
  'edit.apply': ['Enter'],
  'edit.cancel': ['Escape'],
  'edit.undo': ['Mod+Z'],
  'edit.redo': ['Mod+Shift+Z', 'Mod+Y'],
  'review.next': ['J'],
  'review.accept': ['Enter'],
  'review.split': ['S'],
} as const satisfies Record<string, readonly string[]>;

export type ActionId = keyof typeof SHORTCUTS;

/** Changes to {@link SHORTCUTS} by the host page. */
export type Shortcuts = Partial<Record<ActionId, readonly string[]>>;

/** The keys of an action. */
export function keysOf(action: ActionId, changes: Shortcuts = {}): readonly string[] {
  return changes[action] ?? SHORTCUTS[action];
}

/** The action that a key event asks for, if any. Single characters act with and without shift unless both are taken. */
export function actionOf(event: KeyboardEvent, changes: Shortcuts = {}): ActionId | undefined {
  const find = (wanted: string) =>
    (Object.keys(SHORTCUTS) as ActionId[]).find((action) => keysOf(action, changes).includes(wanted));
  for (const name of namesOf(event)) {
    const action = find(name);
    if (action) return action;
  }
  return undefined;
}

/** Whether a key event asks for one action, whatever else has the same key. */
export function isAction(event: KeyboardEvent, action: ActionId, changes: Shortcuts = {}): boolean {
  const keys = keysOf(action, changes);
  return namesOf(event).some((name) => keys.includes(name));
}

/** How {@link SHORTCUTS} may name a key, the closest first. */
function namesOf(event: KeyboardEvent): string[] {
  if (event.altKey) return [];
  const single = event.key.length === 1;
  const key = single ? event.key.toUpperCase() : event.key;
  const mod = event.ctrlKey || event.metaKey ? 'Mod+' : '';
  const exact = mod + (event.shiftKey ? 'Shift+' : '') + key;
  return single ? [exact, mod + key] : [exact];
}

/** A key as people read it. @param names of keys in their language */
export function keyText(key: string, names: Readonly<Record<string, string>>): string {
  const mac = /Mac/.test(globalThis.navigator?.platform ?? '');
  return key
    .replace('Mod+', mac ? '⌘' : 'Ctrl+')
    .replace('Shift+', mac ? '⇧' : 'Shift+')
    .replace(/[A-Za-z]{2,}/g, (word) => names[word] ?? word);
}
