import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { brushRadii, brushRows } from '../../../core/edit/brush.ts';
import { deleteLabels, mergeLabels } from '../../../core/edit/cells.ts';
import { floodFill } from '../../../core/edit/flood.ts';
import { interpolatePlanes } from '../../../core/edit/interpolate.ts';
import {
  journalHead,
  journalRecord,
  labelFingerprint,
  parseJournal,
  replayJournal,
} from '../../../core/edit/journal.ts';
import type { LabelEdit } from '../../../core/edit/label-edit.ts';
import { type HistoryEvent, LabelHistory } from '../../../core/edit/label-history.ts';
import { LabelIndex } from '../../../core/edit/label-index.ts';
import { polygonRows } from '../../../core/edit/polygon.ts';
import { fillHoles, growLabel, shrinkLabel, smoothLabel } from '../../../core/edit/shape.ts';
import { splitLabel } from '../../../core/edit/split.ts';
import { CytoError } from '../../../core/errors.ts';
import { cellGrid, random } from './label-scenes.ts';

/** One operation of each kind at a random place; what a user may do in any order. */
function randomOperation(history: LabelHistory, next: () => number): void {
  const { labels, index } = history;
  const { shape } = labels;
  const whole = (n: number) => Math.floor(next() * n);
  const voxel = () => [whole(shape[0]), whole(shape[1]), whole(shape[2])] as const;
  const ids = index.ids;
  const id = ids[whole(ids.length)] ?? 1;
  const near = (from: readonly number[]) =>
    from.map((v, axis) => Math.min(shape[axis] - 1, v + whole(12))) as unknown as readonly [
      number,
      number,
      number,
    ];
  const flat = ([0, 1, 2, undefined] as const)[whole(4)];
  const options = { spacing: [2, 1, 1], flat };
  const operations: Array<(edit: LabelEdit) => unknown> = [
    (edit) => {
      const from = voxel();
      const to = [...near(from)] as [number, number, number];
      if (flat !== undefined) to[flat] = from[flat];
      const policy = (['all', 'empty', { only: id }] as const)[whole(3)];
      const label = next() < 0.3 ? 0 : index.free;
      brushRows(from, to, brushRadii(1 + whole(12), [2, 1, 1]), shape, flat, (z, y, x0, x1) =>
        edit.setRow(z, y, x0, x1, label, policy),
      );
    },
    (edit) => {
      const [z, y, x] = voxel();
      const points = Array.from({ length: 5 }, () => [x + whole(15), y + whole(15)] as const);
      polygonRows(points, 2, 1, z, shape, (row, column, x0, x1) => edit.setRow(row, column, x0, x1, id));
    },
    (edit) => {
      const box = index.boxAround(id);
      // Into a cell: the background would be the whole volume.
      if (box && edit.labels.at(box[0], box[1], box[2]) !== 0)
        floodFill(edit, [box[0], box[1], box[2]], index.free, flat);
    },
    (edit) => mergeLabels(edit, index, [id, ids[whole(ids.length)] ?? 1]),
    (edit) => deleteLabels(edit, index, [id]),
    (edit) => growLabel(edit, index, id, 2, options),
    (edit) => shrinkLabel(edit, index, id, 1, options),
    (edit) => smoothLabel(edit, index, id, 1, options),
    (edit) => fillHoles(edit, index, id, flat),
    (edit) => interpolatePlanes(edit, index, id, 0, [2, 1, 1]),
    (edit) => {
      const box = index.box(id);
      if (!box) return;
      const middle = (box[2] + box[5]) / 2;
      splitLabel(edit, index, id, {
        line: [
          [middle, box[1]],
          [middle + 1, box[4]],
        ],
        right: 2,
        down: 1,
      });
    },
  ];
  const operation = operations[whole(operations.length)];
  try {
    history.run('Operation', operation);
  } catch (error) {
    // A line beside a thin cell is refused; the edit is then taken back.
    assert.ok(error instanceof CytoError && error.kind === 'bad-input', String(error));
  }
}

function journalled(history: LabelHistory): () => Uint8Array {
  const { labels } = history;
  const parts = [
    journalHead({ shape: labels.shape, fingerprint: labelFingerprint(labels), title: '', started: 0 }),
  ];
  history.addEventListener('change', (event) => {
    parts.push(journalRecord((event as CustomEvent<HistoryEvent>).detail));
  });
  return () => new Uint8Array(Buffer.concat(parts));
}

describe('random operations', () => {
  for (const seed of [1, 2, 3]) {
    it(`undo all is the start, redo all the end, a journal the same labels (seed ${seed})`, () => {
      const next = random(seed);
      const labels = cellGrid(40, 4, 7);
      const start = labels.data.slice();
      const history = new LabelHistory(labels);
      const journal = journalled(history);
      for (let n = 0; n < 120; n++) {
        const dice = next();
        if (dice < 0.15) history.undo();
        else if (dice < 0.25) history.redo();
        else randomOperation(history, next);
      }
      const end = labels.data.slice();
      const position = history.position;
      const written = parseJournal(journal());
      history.goTo(0);
      assert.deepEqual(labels.data, start);
      const other = new LabelHistory(labels);
      replayJournal(other, written);
      assert.deepEqual(labels.data, end);
      assert.equal(other.position, position);
      other.goTo(other.steps.length);
      other.goTo(0);
      assert.deepEqual(labels.data, start);
      other.goTo(position);
      assert.deepEqual(labels.data, end);
    });
  }

  it('the same among 5,000 cells in 512³ voxels, at the cost of what is changed', () => {
    const next = random(9);
    const labels = cellGrid(512, 17, 13);
    const start = labelFingerprint(labels);
    const history = new LabelHistory(labels);
    const journal = journalled(history);
    assert.equal(history.index.size, 4913);
    let changed = 0;
    history.addEventListener('change', (event) => {
      changed += (event as CustomEvent<HistoryEvent>).detail.step?.change.voxels ?? 0;
    });
    for (let n = 0; n < 150; n++) randomOperation(history, next);
    assert.ok(changed > 50_000, `${changed} voxels changed`);
    // An operation looks at the surroundings of its cell and keeps old labels in small pieces: some dozen voxels for
    // each one changed, and never the 134 million of the volume.
    assert.ok(history.visited < 60 * changed, `${history.visited} voxels visited, ${changed} changed`);
    assert.ok(history.bytes < changed, `${history.bytes} bytes for ${changed} voxels`);
    const end = labelFingerprint(labels);
    assert.notEqual(start, end);
    const written = parseJournal(journal());
    const visited = history.visited;
    const before = changed;
    history.goTo(0);
    assert.equal(history.visited - visited, changed - before, 'undo touches what was changed, nothing else');
    assert.equal(labelFingerprint(labels), start);
    const replayed = new LabelHistory(labels);
    replayJournal(replayed, written);
    assert.equal(labelFingerprint(labels), end);
    const { index } = replayed;
    assert.deepEqual(index.ids.sort(), new LabelIndex(labels).ids.sort());
  });
});
