import { brushRadii, brushRows } from '../../../core/edit/brush.ts';
import { deleteLabels, labelsInBox, mergeLabels } from '../../../core/edit/cells.ts';
import { floodFill } from '../../../core/edit/flood.ts';
import type { LabelEdit, Overwrite } from '../../../core/edit/label-edit.ts';
import { LabelHistory } from '../../../core/edit/label-history.ts';
import { type PlanePoint, polygonRows } from '../../../core/edit/polygon.ts';
import { splitLabel } from '../../../core/edit/split.ts';
import { asCytoError } from '../../../core/errors.ts';
import type { Box } from '../../../core/label-volume.ts';
import type { LabelsLayer } from '../../../core/layer.ts';
import type { Texts } from '../../localization/en.ts';
import { type Axis, PLANE_AXES } from '../plane.ts';
import type { Place } from './place.ts';
import type { OverwritePolicy, Tool } from './tools.ts';

/** How a tool is used. */
export interface ToolSettings {
  tool: Tool;
  layer: LabelsLayer;
  /** What paint, fill and lasso write. */
  label: number;
  overwrite: OverwritePolicy;
  /** Diameter of the brush in voxels of the finest axis. */
  brush: number;
  /** In space instead of in the plane. */
  volume: boolean;
  texts: Texts['editing'];
}

/** What is to be told and chosen after a tool was used. */
export interface ToolOutcome {
  message?: string;
  selected?: number;
}

/** One use of a tool, from the press to the release of the pointer. Strokes are written at once, the rest at the end. */
export class ToolUse {
  readonly #settings: ToolSettings;
  readonly #start: Place;
  readonly #overwrite: Overwrite;
  #last: Place;
  #edit: LabelEdit | undefined;
  /** Points of a line, in voxels of the plane. */
  points: PlanePoint[];

  /** @throws CytoError `bad-input` while another edit is under way */
  constructor(settings: ToolSettings, start: Place) {
    this.#settings = settings;
    this.#start = start;
    this.#last = start;
    this.points = [start.point];
    this.#overwrite = allowed(settings, start);
    const { tool, layer, texts } = settings;
    if (tool !== 'paint' && tool !== 'erase') return;
    this.#edit = LabelHistory.of(layer.labels).begin(texts.names[tool]);
    this.#stamp(start);
    this.#edit.flush();
  }

  get tool(): Tool {
    return this.#settings.tool;
  }
  get layer(): LabelsLayer {
    return this.#settings.layer;
  }

  /** The pointer has come to a place. */
  to(place: Place): void {
    this.points.push(place.point);
    this.#stamp(place);
    this.#last = place;
  }

  /** Has what was written so far drawn. */
  flush(): void {
    this.#edit?.flush();
  }

  /** Takes a stroke back. */
  abort(): void {
    this.#edit?.abort();
  }

  #stamp(to: Place): void {
    const edit = this.#edit;
    if (!edit?.isOpen) return;
    const { tool, volume, brush, label } = this.#settings;
    const flat = volume ? undefined : PLANE_AXES[to.plane].across;
    const written = tool === 'erase' ? 0 : label;
    brushRows(this.#last.voxel, to.voxel, brushRadii(brush, to.spacing), edit.shape, flat, (z, y, x0, x1) =>
      edit.setRow(z, y, x0, x1, written, this.#overwrite),
    );
  }

  /** @param moved whether the pointer was dragged rather than clicked */
  finish(moved: boolean): ToolOutcome {
    const { tool, layer, label, volume, texts } = this.#settings;
    const { voxel, plane } = this.#start;
    const { right, down, across } = PLANE_AXES[plane];
    const under = layer.labels.at(...voxel);
    switch (tool) {
      case 'paint':
      case 'erase':
        this.#edit?.commit();
        return {};
      case 'fill':
        return this.#run('fill', (edit) => floodFill(edit, voxel, label, volume ? undefined : across));
      case 'pick':
        return { selected: under };
      case 'lasso':
        return this.#run('lasso', (edit) =>
          polygonRows(this.points, right, down, voxel[across], edit.shape, (z, y, x0, x1) =>
            edit.setRow(z, y, x0, x1, label, this.#overwrite),
          ),
        );
      case 'merge':
        return this.#merge(under);
      case 'split':
        return this.#split();
      case 'delete': {
        const box = dragged(this.#start, this.#last, volume, layer.labels.shape);
        const ids = (moved ? labelsInBox(layer.labels, box) : [under]).filter(Boolean);
        return {
          message: texts.deleted(ids.length),
          ...this.#run('delete', (edit, history) => deleteLabels(edit, history.index, ids)),
        };
      }
      default:
        return {};
    }
  }

  #merge(under: number): ToolOutcome {
    const { layer, texts } = this.#settings;
    if (under === 0) return {};
    if (layer.selected === 0 || layer.selected === under)
      return { selected: under, message: texts.mergeHint };
    return this.#run('merge', (edit, history) => mergeLabels(edit, history.index, [layer.selected, under]));
  }

  /** Splits the chosen cell if the line meets it, else the cell that the line meets most. */
  #split(): ToolOutcome {
    const { layer, volume } = this.#settings;
    const { plane, voxel } = this.#start;
    const { right, down, across } = PLANE_AXES[plane];
    const depth = voxel[across];
    const line = this.points;
    const met = new Map<number, number>();
    for (let i = 1; i < line.length; i++) {
      const [a, b] = [line[i - 1], line[i]];
      const steps = Math.max(1, Math.ceil(Math.hypot(b[0] - a[0], b[1] - a[1])));
      for (let k = 0; k <= steps; k++) {
        const at: [number, number, number] = [0, 0, 0];
        at[right] = Math.round(a[0] + ((b[0] - a[0]) * k) / steps);
        at[down] = Math.round(a[1] + ((b[1] - a[1]) * k) / steps);
        at[across] = depth;
        const id = layer.labels.at(...at);
        if (id !== 0) met.set(id, (met.get(id) ?? 0) + 1);
      }
    }
    const most = [...met].sort((a, b) => b[1] - a[1]).at(0)?.[0] ?? 0;
    const id = met.has(layer.selected) ? layer.selected : most;
    return this.#run('split', (edit, history) => {
      splitLabel(edit, history.index, id, { line, right, down, ...(volume ? {} : { depth }) });
    });
  }

  #run(name: string, work: (edit: LabelEdit, history: LabelHistory) => void): ToolOutcome {
    const { layer, texts } = this.#settings;
    return runEdit(LabelHistory.of(layer.labels), texts.names[name], work);
  }
}

/** One step of a history; what the user has to know of a failure is the outcome's message. */
export function runEdit(
  history: LabelHistory,
  name: string,
  work: (edit: LabelEdit, history: LabelHistory) => void,
): ToolOutcome {
  try {
    history.run(name, (edit) => work(edit, history));
    return {};
  } catch (cause) {
    const { kind, message } = asCytoError(cause);
    if (kind === 'internal') throw cause;
    return { message };
  }
}

/** Only this label: that of the voxel where the stroke starts; the eraser takes the chosen cell's alone. */
function allowed({ tool, layer, overwrite }: ToolSettings, { voxel }: Place): Overwrite {
  if (overwrite === 'all') return 'all';
  if (tool === 'erase') return { only: layer.selected };
  return overwrite === 'empty' ? 'empty' : { only: layer.labels.at(...voxel) };
}

/** The voxels between two corners in a plane, through the whole volume if asked for. */
function dragged(from: Place, to: Place, volume: boolean, shape: readonly number[]): Box {
  const low = from.voxel.map((v, axis) => Math.min(v, to.voxel[axis]));
  const high = from.voxel.map((v, axis) => Math.max(v, to.voxel[axis]) + 1);
  if (volume) {
    const across: Axis = PLANE_AXES[from.plane].across;
    low[across] = 0;
    high[across] = shape[across];
  }
  return [low[0], low[1], low[2], high[0], high[1], high[2]];
}
