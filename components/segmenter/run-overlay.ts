import type { VoxelBox } from '../../core/voxel-box.ts';
import type { CytoRunMarks } from '../run-marks/run-marks.ts';
import type { CytoViewer } from '../viewer/viewer.ts';

/** What is drawn over the viewer. */
export interface RunMarks {
  viewer: CytoViewer;
  ring: boolean;
  diameter: number | undefined;
  box: VoxelBox | undefined;
  /** Whether the next drag draws the box. */
  drawing: boolean;
}

/** What a user does to them. */
export interface RunMarksChange {
  diameter?: number;
  box?: VoxelBox;
}

/** Ring and box of the next run, over the viewer while they are wanted. */
export class RunOverlay {
  #marks: CytoRunMarks | undefined;
  readonly #change: (change: RunMarksChange) => void;
  readonly #drawn: () => void;

  /** @param drawn a drag has ended */
  constructor(change: (change: RunMarksChange) => void, drawn: () => void) {
    this.#change = change;
    this.#drawn = drawn;
  }

  /** @param marks absent where there is nothing to draw over */
  show(marks: RunMarks | undefined): void {
    if (!marks || (!marks.ring && !marks.box)) {
      this.remove();
      return;
    }
    this.#marks ??= this.#create();
    Object.assign(this.#marks, marks);
    if (this.#marks.parentElement !== marks.viewer) marks.viewer.append(this.#marks);
  }

  remove(): void {
    this.#marks?.remove();
    this.#marks = undefined;
  }

  #create(): CytoRunMarks {
    const marks = document.createElement('cyto-run-marks');
    marks.addEventListener('input', (event) => {
      event.stopPropagation();
      this.#change((event as Event as CustomEvent<RunMarksChange>).detail);
    });
    marks.addEventListener('change', (event) => {
      event.stopPropagation();
      this.#drawn();
    });
    return marks;
  }
}
