import type { ActionId } from '../shortcuts.ts';
import type { LabelEditor } from './label-editor.ts';
import { OVERWRITES, type Tool } from './tools.ts';

/** Actions of a key that need to know of no pane. */
const ACTIONS: Partial<Record<ActionId, (editor: LabelEditor) => void>> = {
  'edit.undo': (editor) => editor.undo(),
  'edit.redo': (editor) => editor.redo(),
  'brush.larger': (editor) => editor.resizeBrush(true),
  'brush.smaller': (editor) => editor.resizeBrush(false),
  'edit.protect': (editor) => {
    editor.overwrite = OVERWRITES[(OVERWRITES.indexOf(editor.overwrite) + 1) % OVERWRITES.length];
  },
  'edit.three-dimensions': (editor) => {
    editor.volume = !editor.volume;
  },
  'edit.new-label': (editor) => editor.newLabel(),
  'edit.swap-erase': (editor) => {
    editor.tool = editor.tool === 'erase' ? 'paint' : 'erase';
  },
  'edit.delete': (editor) => editor.deleteSelected(),
  'edit.interpolate': (editor) => editor.show('interpolate', 0),
};

/** Does what a key stands for. @returns whether it is an action of the editor */
export function performAction(editor: LabelEditor, action: ActionId): boolean {
  if (action.startsWith('tool.')) {
    editor.tool = action.slice(5) as Tool;
    return true;
  }
  const work = ACTIONS[action];
  work?.(editor);
  return work !== undefined;
}
