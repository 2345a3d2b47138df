import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FlowFile } from '../../workers/segmentation/volume/flow-file.ts';

/** A real file of this many bytes. */
export function openFile(bytes: number): FlowFile {
  const folder = mkdtempSync(join(tmpdir(), 'cytopane-flows-'));
  const file = openSync(join(folder, 'flows'), 'w+');
  ftruncateSync(file, bytes);
  return {
    read: (into, at) => assert.equal(readSync(file, into, 0, into.length, at), into.length),
    write: (from, at) => assert.equal(writeSync(file, from, 0, from.length, at), from.length),
    close: () => {
      closeSync(file);
      rmSync(folder, { recursive: true });
    },
  };
}
