import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  journalHead,
  journalRecord,
  labelFingerprint,
  parseJournal,
  replayJournal,
} from '../../../core/edit/journal.ts';
import { applyChange, forEachRun } from '../../../core/edit/label-change.ts';
import { type HistoryEvent, LabelHistory } from '../../../core/edit/label-history.ts';
import { LabelIndex } from '../../../core/edit/label-index.ts';
import { type Box, LabelVolume, labelStatistics } from '../../../core/label-volume.ts';
import { cellGrid, random, volumeOf } from './label-scenes.ts';

describe('label history', () => {
  it('records a step as runs of old and new labels in their box, and takes it back', () => {
    const labels = volumeOf([2, 3, 8], [[0, 1, 2, 5, 7]]);
    const history = new LabelHistory(labels);
    const step = history.run('Paint', (edit) => {
      edit.setRow(0, 1, 4, 100, 9);
      edit.setRow(1, 0, -5, 2, 9);
      edit.setRow(5, 0, 0, 3, 9);
    });
    assert.ok(step);
    assert.deepEqual([...labels.data.subarray(8, 18)], [0, 0, 7, 7, 9, 9, 9, 9, 0, 0]);
    const runs: number[][] = [];
    forEachRun(step.change, labels.shape, (...run) => runs.push(run));
    assert.deepEqual(runs, [
      [12, 1, 7, 9, 0, 1, 4],
      [13, 3, 0, 9, 0, 1, 5],
      [24, 2, 0, 9, 1, 0, 0],
    ]);
    assert.deepEqual(step.change.box, [0, 0, 0, 2, 2, 8]);
    assert.equal(step.change.voxels, 6);
    history.undo();
    assert.deepEqual([...labels.data.subarray(8, 16)], [0, 0, 7, 7, 7, 0, 0, 0]);
    assert.equal(labels.data[24], 0);
    history.redo();
    assert.equal(labels.data[24], 9);
  });

  it('keeps runs within rows and labels up to the largest', () => {
    const labels = new LabelVolume([1, 2, 4], calibration);
    const history = new LabelHistory(labels);
    const step = history.replace('Import', Uint32Array.of(1, 0xffff_fffe, 5, 5, 5, 5, 0, 1));
    const runs: number[][] = [];
    forEachRun(step!.change, labels.shape, (start, length, before, after) =>
      runs.push([start, length, before, after]),
    );
    assert.deepEqual(runs, [
      [0, 1, 0, 1],
      [1, 1, 0, 0xffff_fffe],
      [2, 2, 0, 5],
      [4, 2, 0, 5],
      [7, 1, 0, 1],
    ]);
  });

  it('writes only what the policy allows', () => {
    const labels = volumeOf(
      [1, 1, 6],
      [
        [0, 0, 1, 3, 2],
        [0, 0, 3, 5, 3],
      ],
    );
    const history = new LabelHistory(labels);
    history.run('Only empty', (edit) => edit.setRow(0, 0, 0, 6, 8, 'empty'));
    assert.deepEqual([...labels.data], [8, 2, 2, 3, 3, 8]);
    history.run('Only 3', (edit) => edit.setRow(0, 0, 0, 6, 9, { only: 3 }));
    assert.deepEqual([...labels.data], [8, 2, 2, 9, 9, 8]);
  });

  it('an aborted edit, and one that throws, leave no trace', () => {
    const labels = volumeOf([1, 4, 4], [[0, 1, 1, 3, 5]]);
    const before = labels.data.slice();
    const history = new LabelHistory(labels);
    const edit = history.begin('Stroke');
    edit.setRow(0, 1, 0, 4, 8);
    edit.revert();
    assert.deepEqual(labels.data, before);
    edit.setRow(0, 2, 0, 4, 8);
    assert.throws(() => history.begin('Another'), { kind: 'bad-input' });
    assert.throws(() => history.replace('Run', before), { kind: 'bad-input' });
    edit.abort();
    assert.throws(() => edit.setRow(0, 0, 0, 1, 1), { kind: 'internal' });
    assert.throws(
      () =>
        history.run('Fails', (open) => {
          open.setRow(0, 0, 0, 4, 8);
          throw new RangeError('no');
        }),
      RangeError,
    );
    assert.deepEqual(labels.data, before);
    assert.equal(history.steps.length, 0);
  });

  it('announces the box of what was written, once per flush, and the step', () => {
    const labels = new LabelVolume([3, 10, 10], calibration);
    const history = new LabelHistory(labels);
    const boxes: Box[] = [];
    const events: string[] = [];
    labels.addEventListener('change', (event) => boxes.push((event as CustomEvent<{ box: Box }>).detail.box));
    history.addEventListener('change', (event) => {
      const { kind, step } = (event as CustomEvent<HistoryEvent>).detail;
      events.push(`${kind} ${step?.name}`);
    });
    const edit = history.begin('Stroke');
    edit.setRow(1, 2, 3, 5, 1);
    edit.setRow(1, 4, 2, 4, 1);
    edit.flush();
    edit.setRow(2, 9, 9, 10, 1);
    edit.commit();
    assert.deepEqual(boxes, [
      [1, 2, 2, 2, 5, 5],
      [2, 9, 9, 3, 10, 10],
    ]);
    history.undo();
    assert.deepEqual(boxes.at(-1), [1, 2, 2, 3, 10, 10]);
    history.redo();
    assert.equal(
      history.run('Nothing', (open) => open.setRow(1, 2, 3, 5, 1)),
      undefined,
    );
    assert.deepEqual(events, ['commit Stroke', 'undo Stroke', 'redo Stroke']);
  });

  it('forgets the oldest steps beyond its bytes, and those undone when another follows', () => {
    const labels = new LabelVolume([1, 64, 64], calibration);
    const history = new LabelHistory(labels, { byteBudget: 100 });
    for (let y = 0; y < 60; y++) history.run(`Row ${y}`, (edit) => edit.setRow(0, y, 0, 64, y + 1));
    assert.ok(history.bytes <= 100 && history.bytes > 60, `${history.bytes} bytes`);
    assert.ok(history.steps.length < 60);
    assert.equal(history.steps.at(-1)?.name, 'Row 59');
    history.goTo(history.position - 3);
    assert.equal(labels.data[59 * 64], 0);
    history.run('Other', (edit) => edit.setRow(0, 0, 0, 1, 99));
    assert.deepEqual([history.canRedo, history.steps.at(-2)?.name], [false, 'Row 56']);
    const sum = history.steps.reduce((bytes, { change }) => bytes + change.bytes.length, 0);
    assert.equal(history.bytes, sum);
  });

  it('a model run is one step; planes outside are cleared or kept', () => {
    const labels = volumeOf(
      [3, 2, 2],
      [
        [0, 0, 0, 2, 4],
        [2, 1, 0, 2, 4],
      ],
    );
    const history = LabelHistory.of(labels);
    assert.equal(LabelHistory.of(labels), history);
    history.replace('Run', [7, 7, 0, 0], { z: 1, blank: false });
    assert.deepEqual([...labels.data], [4, 4, 0, 0, 7, 7, 0, 0, 0, 0, 4, 4]);
    history.replace('Run', [0, 8, 0, 0], { z: 1 });
    assert.deepEqual([...labels.data], [0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0]);
    assert.throws(() => history.replace('Run', [1], { z: 1 }), { kind: 'bad-input' });
    history.goTo(0);
    assert.deepEqual([...labels.data], [4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 4, 4]);
  });

  it('costs what the change costs: a stroke and a merge among 5,000 cells in 512³ voxels', () => {
    const labels = cellGrid(512, 17, 13);
    const { index } = new LabelHistory(labels);
    assert.equal(index.size, 17 ** 3);
    const history = new LabelHistory(labels);
    for (let y = 100; y < 120; y++) history.run('Row', (edit) => edit.setRow(250, y, 100, 120, 4));
    assert.ok(history.visited < 20 * 20 * 60, `${history.visited} voxels for 400`);
    const before = history.visited;
    history.goTo(0);
    history.goTo(20);
    assert.ok(history.visited - before <= 2 * 400, `${history.visited - before} voxels`);
    assert.ok(history.bytes < 20 * 20 * 3, `${history.bytes} bytes`);
  });
});

describe('label index', () => {
  it('equals a fresh one after any steps back and forth', () => {
    const next = random(7);
    const labels = cellGrid(24, 3, 5);
    const history = new LabelHistory(labels);
    history.index;
    for (let n = 0; n < 200; n++) {
      const dice = next();
      if (dice < 0.2) history.undo();
      else if (dice < 0.35) history.redo();
      else {
        history.run('Row', (edit) => {
          const x = Math.floor(next() * 24);
          const z = Math.floor(next() * 24);
          const label = Math.floor(next() * 30);
          for (let y = 0; y < 24; y += 3) edit.setRow(z, y, x, x + 6, label);
        });
      }
      if (n % 20 !== 0) continue;
      const fresh = new LabelIndex(labels);
      assert.deepEqual(history.index.ids.sort(), fresh.ids.sort());
      for (const { id, count, box } of labelStatistics(labels.data, labels.shape)) {
        assert.equal(history.index.count(id), count);
        assert.deepEqual(history.index.box(id), box);
      }
    }
  });
});

describe('journal', () => {
  it('replays to the same labels and steps, undos included; a cut-off end is left out', () => {
    const next = random(3);
    const labels = cellGrid(20, 2, 6);
    const start = labels.data.slice();
    const history = new LabelHistory(labels);
    const head = { shape: labels.shape, fingerprint: labelFingerprint(labels), title: 'cells', started: 1 };
    const parts = [journalHead(head)];
    const states = [start];
    history.addEventListener('change', (event) => {
      parts.push(journalRecord((event as CustomEvent<HistoryEvent>).detail));
      states.push(labels.data.slice());
    });
    for (let n = 0; n < 60; n++) {
      const dice = next();
      if (dice < 0.25) history.undo();
      else if (dice < 0.4) history.redo();
      else {
        const label = Math.floor(next() * 2 ** 32);
        history.run(`Paint ${n}`, (edit) => {
          for (let k = 0; k < 5; k++) {
            const x = Math.floor(next() * 20);
            edit.setRow(Math.floor(next() * 20), Math.floor(next() * 20), x, x + 4, label);
          }
        });
      }
    }
    const bytes = Uint8Array.from(parts.flatMap((part) => [...part]));
    const journal = parseJournal(bytes);
    assert.equal(journal.complete, true);
    const again = new LabelHistory(new LabelVolume(labels.shape, calibration, start.slice()));
    replayJournal(again, journal);
    assert.deepEqual(again.labels.data, labels.data);
    assert.deepEqual(
      again.steps.map(({ name }) => name),
      history.steps.map(({ name }) => name),
    );
    assert.equal(again.position, history.position);
    again.goTo(0);
    assert.deepEqual(again.labels.data, start);

    const cut = parseJournal(bytes.subarray(0, bytes.length - 3));
    assert.equal(cut.complete, false);
    assert.equal(cut.records.length, journal.records.length - 1);
    const shorter = new LabelHistory(new LabelVolume(labels.shape, calibration, start.slice()));
    replayJournal(shorter, cut);
    assert.deepEqual(shorter.labels.data, states.at(-2));

    const damaged = bytes.slice();
    damaged[bytes.length - 12] ^= 4;
    assert.ok(parseJournal(damaged).records.length < journal.records.length);
    assert.throws(() => parseJournal(new Uint8Array([1, 2, 3])), { kind: 'corrupt-file' });
    assert.throws(() => replayJournal(history, journal), { kind: 'bad-input' });
  });

  it('a change can be written both ways', () => {
    const labels = volumeOf([1, 1, 4], [[0, 0, 0, 4, 3]]);
    const step = new LabelHistory(labels).replace('x', [1, 2, 3, 4]);
    applyChange(labels.data, labels.shape, step!.change, 'undo');
    assert.deepEqual([...labels.data], [3, 3, 3, 3]);
    applyChange(labels.data, labels.shape, step!.change, 'redo');
    assert.deepEqual([...labels.data], [1, 2, 3, 4]);
  });
});

const calibration = { spacing: [1, 1, 1] as const, unit: 'px', calibrated: false };
