import { asCytoError } from '../../core/errors.ts';
import type { LabelEditor } from '../viewer/editing/label-editor.ts';
import { emit } from '../viewer/events.ts';
import type { CytoViewer } from '../viewer/viewer.ts';
import { ViewerPart } from './viewer-part.ts';

/** Base of the controls that show and steer a viewer's label editor; renders again when it changes. */
export abstract class EditorPart extends ViewerPart {
  #editor: LabelEditor | undefined;

  /** The editor, once its code has been loaded. */
  protected get editor(): LabelEditor | undefined {
    return this.#editor;
  }

  protected override viewerChanged(viewer: CytoViewer, release: Array<() => void>): void {
    let listening = true;
    const render = () => this.requestUpdate();
    viewer.addEventListener('cyto-tool-change', render);
    release.push(() => {
      listening = false;
      viewer.removeEventListener('cyto-tool-change', render);
      this.#editor?.removeEventListener('change', render);
      this.#editor = undefined;
    });
    viewer.editing().then(
      (editor) => {
        if (!listening) return;
        this.#editor = editor;
        editor.addEventListener('change', render);
        render();
      },
      (cause: unknown) => {
        const { kind, message } = asCytoError(cause);
        emit(viewer, 'error', { kind, message });
      },
    );
  }
}
