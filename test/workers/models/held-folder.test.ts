import assert from 'node:assert/strict';
import { mkdtemp, openAsBlob, rm, writeFile } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { CytoError } from '../../../core/errors.ts';
import { blobFolder, heldFolder } from '../../../workers/models/model-folder.ts';

const [make, write, remove] = [promisify(mkdtemp), promisify(writeFile), promisify(rm)];

describe('files of a model that are held for a long task', () => {
  const made: string[] = [];
  after(() => Promise.all(made.map((path) => remove(path, { recursive: true }))));

  /** A folder whose one file lies on the disk, read when it is used, as in the browser's storage. */
  async function onDisk() {
    const path = join(await make(join(tmpdir(), 'cytopane-held-')), 'rdf.yaml');
    made.push(join(path, '..'));
    await write(path, 'name: held');
    return { path, folder: blobFolder(new Map([['rdf.yaml', await openAsBlob(path)]]), 'the disk') };
  }

  it('can be read after they were removed', async () => {
    const { path, folder } = await onDisk();
    const held = heldFolder(folder);
    await held.open('rdf.yaml');
    await remove(path);
    assert.equal(await (await held.open('rdf.yaml')).text(), 'name: held');
    await assert.rejects(async () => (await folder.open('rdf.yaml')).text());
  });

  it('say so if they were removed before', async () => {
    const { path, folder } = await onDisk();
    await remove(path);
    await assert.rejects(
      heldFolder(folder).open('rdf.yaml'),
      (error) =>
        error instanceof CytoError &&
        error.kind === 'not-found' &&
        /in the disk were removed/.test(error.message),
    );
  });

  it('are asked for again after a failure', async () => {
    let tries = 0;
    const folder = heldFolder({
      where: 'a server',
      open: async () => {
        tries++;
        if (tries === 1) throw new CytoError('network', 'The server does not answer.');
        return new Blob(['name: held']);
      },
    });
    await assert.rejects(folder.open('rdf.yaml'), CytoError);
    assert.equal(await (await folder.open('rdf.yaml')).text(), 'name: held');
    await folder.open('rdf.yaml');
    assert.equal(tries, 2);
  });
});
