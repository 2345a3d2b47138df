import { borderLabels, deleteLabels, relabel, smallLabels } from '../../../core/edit/cells.ts';
import { interpolatePlanes } from '../../../core/edit/interpolate.ts';
import type { LabelEdit } from '../../../core/edit/label-edit.ts';
import type { LabelIndex } from '../../../core/edit/label-index.ts';
import { fillHoles, growLabel, shrinkLabel, smoothLabel } from '../../../core/edit/shape.ts';
import type { Axis } from '../plane.ts';
import type { Operation } from './tools.ts';

export interface OperationSettings {
  /** The chosen cell. */
  label: number;
  /** Radius in voxels of the finest axis, or least number of voxels for `remove-small`. */
  amount: number;
  /** Distance between voxels along z, y, x. */
  spacing: readonly number[];
  /** Axis across the plane that the user looks at. */
  across: Axis;
  /** Whether cells are treated in space instead of plane by plane. */
  volume: boolean;
}

/** Carries one operation out within an edit. */
export function operate(
  operation: Operation,
  edit: LabelEdit,
  index: LabelIndex,
  { label, amount, spacing, across, volume }: OperationSettings,
): void {
  const flat = volume ? undefined : across;
  const radius = amount * Math.min(...spacing);
  switch (operation) {
    case 'grow':
      growLabel(edit, index, label, radius, { spacing, flat });
      break;
    case 'shrink':
      shrinkLabel(edit, index, label, radius, { spacing, flat });
      break;
    case 'smooth':
      smoothLabel(edit, index, label, radius, { spacing, flat });
      break;
    case 'fill-holes':
      fillHoles(edit, index, label, flat);
      break;
    case 'interpolate':
      interpolatePlanes(edit, index, label, across, spacing);
      break;
    case 'remove-small':
      deleteLabels(edit, index, smallLabels(index, amount));
      break;
    case 'remove-border':
      deleteLabels(edit, index, borderLabels(index, edit.shape));
      break;
    case 'relabel':
      relabel(edit, index);
      break;
  }
}
