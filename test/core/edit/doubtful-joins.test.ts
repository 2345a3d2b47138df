import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DOUBTFUL, DoubtfulJoins } from '../../../core/edit/doubtful-joins.ts';
import { LabelHistory } from '../../../core/edit/label-history.ts';
import { splitAtPlane } from '../../../core/edit/split-at-plane.ts';
import type { PlaneJoin } from '../../../core/segmentation-parameters.ts';
import { volumeOf } from './label-scenes.ts';

/** One cell of four planes, and one of two beside it. */
const scene = () =>
  volumeOf(
    [4, 2, 8],
    [0, 1, 2, 3].flatMap((z) => [[z, 0, 0, 3, 1] as const, ...(z < 2 ? ([[z, 1, 5, 8, 7]] as const) : [])]),
  );

const join = (upper: number, confidence: number): PlaneJoin => ({
  label: 1,
  upper,
  lower: upper + 1,
  y: 0,
  x: 1,
  iou: 0.5,
  rival: 0,
  confidence,
});

describe('joins between planes', () => {
  it('are listed worst first, the sure ones not at all', () => {
    const joins = new DoubtfulJoins([join(0, 0.3), join(1, DOUBTFUL), join(2, 0.1)], scene());
    assert.deepEqual([joins.length, joins.at(0)?.upper, joins.at(1)?.upper], [2, 2, 0]);
    assert.equal(joins.nextAfter(-1), 0);
    assert.equal(joins.nextAfter(0), 1);
    assert.equal(joins.nextAfter(1), 0);
  });

  it('are passed over once accepted, until taken back, also in a later result of the same labels', () => {
    const labels = scene();
    const all = [join(0, 0.3), join(2, 0.1)];
    const joins = new DoubtfulJoins(all, labels);
    joins.accept(all[1]);
    assert.equal(joins.stateOf(all[1]), 'accepted');
    assert.equal(joins.nextAfter(-1), 1);
    assert.equal(new DoubtfulJoins(all, labels, joins).open, 1);
    assert.equal(new DoubtfulJoins(all, scene(), joins).open, 2);
    joins.accept(all[1], false);
    assert.equal(joins.open, 2);
  });

  it('are cut from their lower plane on, as one step, and whole again when it is undone', () => {
    const labels = scene();
    const history = LabelHistory.of(labels);
    const [above, below] = [join(0, 0.3), join(2, 0.1)];
    const joins = new DoubtfulJoins([above, below], labels);
    const split = (z: number, label: number) =>
      history.run('split', (edit) => splitAtPlane(edit, history.index, { label, z, to: history.index.free }));
    assert.equal(split(1, 1)?.change.voxels, 9);
    assert.deepEqual(joins.labelsOf(above), [1, 8]);
    // The rest of the cell is a cell of its own, whose join is still to be looked at.
    assert.deepEqual(joins.labelsOf(below), [8, 8]);
    assert.deepEqual([joins.stateOf(above), joins.stateOf(below)], ['split', 'open']);
    split(3, 8);
    assert.deepEqual(joins.labelsOf(below), [8, 9]);
    history.undo();
    history.undo();
    assert.deepEqual([joins.stateOf(above), joins.stateOf(below)], ['open', 'open']);
    assert.equal(labels.at(1, 1, 6), 7);
  });

  it('cannot be cut beyond the ends of their cell', () => {
    const history = LabelHistory.of(scene());
    for (const z of [0, 4])
      assert.equal(
        history.run('split', (edit) => splitAtPlane(edit, history.index, { label: 1, z, to: 9 })),
        undefined,
      );
  });

  it('are gone with their cell', () => {
    const labels = scene();
    const joins = new DoubtfulJoins([join(0, 0.3)], labels);
    labels.data.fill(0);
    assert.equal(joins.stateOf(join(0, 0.3)), 'gone');
    assert.equal(joins.nextAfter(-1), -1);
  });
});
