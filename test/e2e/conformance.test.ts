import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { referenceData, runCheck } from '../reference-data.ts';

const { path, skip } = referenceData('data/io');

describe('files of every format', { skip }, () => {
  it('read as their manifest says', () => {
    const { output, passed, failed } = runCheck('conformance/run.ts', path);
    assert.equal(failed, 0, output);
    assert.ok(passed >= 179, output);
  });
});
