import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CytoError } from '../../core/errors.ts';
import type { BackendReport } from '../../core/segmentation-parameters.ts';
import { blobFolder } from '../../workers/models/model-folder.ts';
import { openNetwork } from '../../workers/segmentation/network/backend.ts';
import { loadModel } from '../../workers/segmentation/network/model-files.ts';
import { SessionTrust } from '../../workers/segmentation/network/trust.ts';
import { type InferenceServerOptions, startInferenceServer } from './inference-server.ts';

const folder = fileURLToPath(new URL('models/conv3', import.meta.url));
const SMALL = ['rdf.yaml', 'test_input.npy', 'test_output.npy'];
const ALL = [...SMALL, 'model.onnx', 'model.onnx.data'];

async function modelOf(names: string[]) {
  const files = new Map<string, Blob>();
  for (const name of names) files.set(name, new Blob([Uint8Array.from(await readFile(`${folder}/${name}`))]));
  return loadModel(blobFolder(files));
}

const tile = (side: number) => Float32Array.from({ length: 3 * side * side }, (_, i) => Math.sin(i / 9));

/** Runs a tile on a server and here. */
async function compare(options: Omit<InferenceServerOptions, 'folder'>, names: string[]) {
  const server = await startInferenceServer({ folder, ...options });
  try {
    const model = await modelOf(names);
    const changes: BackendReport[] = [];
    const network = await openNetwork(model, 'remote', {
      server: server.model,
      trust: new SessionTrust(),
      onChange: (report) => changes.push(report),
    });
    const opened = network.report;
    const outputs = [await network.run(tile(32), 1, 32, 32), await network.run(tile(32), 1, 32, 32)];
    await network.release();
    const local = await openNetwork(await modelOf(ALL), 'wasm', { trust: new SessionTrust() });
    const expected = await local.run(tile(32), 1, 32, 32);
    await local.release();
    const difference = Math.max(
      ...outputs.map((output) =>
        output.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0),
      ),
    );
    return { opened, changes, difference, served: server.served, length: outputs[0].length };
  } finally {
    await server.close();
  }
}

describe('remote backend', () => {
  for (const [title, options] of [
    ['binary tensors', {}],
    ['answers in JSON', { json: true }],
  ] as const) {
    it(`reproduces the test tensors and computes tiles, ${title}; the weights are not needed here`, async () => {
      const { opened, difference, served, length } = await compare(options, SMALL);
      assert.deepEqual([opened.kind, opened.verified, opened.refusals], ['remote', true, []]);
      assert.equal(length, 3 * 32 * 32);
      assert.equal(difference, 0);
      assert.equal(served, 3, 'the test tensor and two tiles');
    });
  }

  it('is not trusted with wrong numbers', async () => {
    const { opened, difference, served } = await compare({ error: 0.01 }, ALL);
    assert.equal(opened.kind, 'wasm');
    assert.deepEqual(opened.refusals.map(({ kind, reason }) => [kind, reason]).slice(0, 1), [
      ['remote', 'wrong-numbers'],
    ]);
    assert.equal(difference, 0);
    assert.equal(served, 1);
  });

  it('hands its tile to this computer when it fails', async () => {
    const { opened, changes, difference, served } = await compare({ failAfter: 2 }, ALL);
    assert.equal(opened.kind, 'remote');
    assert.equal(changes.length, 1);
    assert.equal(changes[0].kind, 'wasm');
    assert.match(
      changes[0].refusals[0].detail,
      /The server 127\.0\.0\.1:\d+ is not used any more.*503 \(out of memory\)/,
    );
    assert.equal(difference, 0);
    assert.equal(served, 2);
  });

  it('says what is wrong with a server', async () => {
    const server = await startInferenceServer({ folder });
    const model = await modelOf(ALL);
    const trust = new SessionTrust();
    const other = server.model.replace('conv3', 'other');
    const network = await openNetwork(model, 'remote', { server: other, trust });
    assert.match(network.report.refusals[0].detail, /404 \(Request for unknown model/);
    await network.release();
    await server.close();
    const gone = await openNetwork(model, 'remote', { server: server.model, trust });
    assert.deepEqual([gone.report.kind, gone.report.refusals[0].reason], ['wasm', 'failed']);
    await gone.release();
    for (const address of [undefined, 'nonsense']) {
      await assert.rejects(
        openNetwork(model, 'remote', { trust, ...(address ? { server: address } : {}) }),
        (error) => error instanceof CytoError && error.kind === 'bad-input' && /address/.test(error.message),
      );
    }
  });
});
