import assert from 'node:assert/strict';
import { test } from 'node:test';
import { correctionsSince } from '../../../core/edit/corrections.ts';
import { LabelHistory } from '../../../core/edit/label-history.ts';
import { LabelVolume } from '../../../core/label-volume.ts';

test('cells added, removed and changed since the last run are counted; what was undone is not', () => {
  const labels = new LabelVolume([1, 4, 8], { spacing: [1, 1, 1], unit: 'px', calibrated: false });
  const history = new LabelHistory(labels);
  const byModel = ({ name }: { name: string }) => name === 'Run';
  const paint = (label: number, ...places: number[]) => {
    const wanted = labels.data.slice();
    for (const place of places) wanted[place] = label;
    history.replace('Brush', wanted);
  };
  paint(9, 0, 1);
  assert.deepEqual(correctionsSince(history, byModel), { added: 1, removed: 0, changed: 0 });
  const run = new Uint32Array(32);
  run.fill(1, 0, 4).fill(2, 8, 12).fill(3, 16, 20);
  history.replace('Run', run);
  assert.deepEqual(correctionsSince(history, byModel), { added: 0, removed: 0, changed: 0 });
  paint(0, 8, 9, 10, 11); // cell 2 is removed
  paint(1, 4); // cell 1 grows
  paint(4, 24, 25); // a new cell
  assert.deepEqual(correctionsSince(history, byModel), { added: 1, removed: 1, changed: 1 });
  history.undo();
  assert.deepEqual(correctionsSince(history, byModel), { added: 0, removed: 1, changed: 1 });
});
