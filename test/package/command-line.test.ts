import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { blobFolder } from '../../workers/models/model-folder.ts';
import { openNetwork } from '../../workers/segmentation/network/backend.ts';
import { loadModel } from '../../workers/segmentation/network/model-files.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

describe('npx cytopane convert', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cytopane-'));
  });
  after(() => rm(folder, { recursive: true }));

  const cytopane = async (...words: string[]) => {
    const { bin } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    return spawnSync(process.execPath, [join(root, bin.cytopane), ...words], { encoding: 'utf8' });
  };

  it('writes a model folder that a backend reproduces, hashes and all', async () => {
    const out = join(folder, 'mini');
    const checkpoint = join(root, 'test/models/cpsam/reference/mini.pth');
    const { status, stderr } = await cytopane('convert', checkpoint, out);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /For research only/);
    const names = await readdir(out);
    const files = new Map<string, Blob>();
    for (const name of names) files.set(name, new Blob([Uint8Array.from(await readFile(join(out, name)))]));
    const network = await openNetwork(await loadModel(blobFolder(files)), 'wasm');
    assert.equal(network.report.verified, true);
    await network.release();
  });

  it('says what is wrong and fails', async () => {
    const other = await cytopane('convert', join(root, 'package.json'), join(folder, 'other'));
    assert.equal(other.status, 1);
    assert.match(other.stderr, /"package\.json" is not a checkpoint of PyTorch/);
    const missing = await cytopane('convert', join(folder, 'none.pth'), folder);
    assert.match(missing.stderr, /none\.pth" cannot be opened/);
    assert.match((await cytopane('convert')).stderr, /^Usage: cytopane convert/);
  });
});
