/// <reference lib="dom" />
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { zipSync } from 'fflate';
import { openStage, repository, type Stage } from './browser.ts';
import { type ModelServer, startModelServer } from './model-server.ts';

const CONV3 = `${repository}test/workers/models/conv3`;
const DEFAULT = `${repository}models/default`;
const NAMES = ['rdf.yaml', 'model.onnx', 'model.onnx.data', 'test_input.npy', 'test_output.npy'];

type Library = import('../../workers/models/client.ts').ModelLibrary;
type Entry = import('../../workers/models/client.ts').ModelEntry;

interface Outcome {
  entry?: Entry;
  kind?: string;
  message?: string;
  /** Bytes reported, first to last. */
  progress: number[];
}

/** Added models, in the browser's own storage, from a server that misbehaves. */
describe('models of this device', () => {
  let stage: Stage;
  let server: ModelServer;
  let packages: string;

  const openPage = async () => {
    await stage.page.goto(`${stage.origin}/test/evaluate/page.html`);
    await stage.page.evaluate(async () => {
      const { ModelLibrary }: { ModelLibrary: new () => Library } = await import(
        new URL('/dist/model-library.js', location.href).href
      );
      Object.assign(globalThis, { library: new ModelLibrary() });
    });
  };
  before(async () => {
    packages = await mkdtemp(join(tmpdir(), 'cytopane-packages-'));
    server = await startModelServer({ conv3: CONV3, default: DEFAULT, packages });
    stage = await openStage();
  });
  after(async () => {
    await stage.close();
    await server.close();
    await rm(packages, { recursive: true });
  });
  beforeEach(async () => {
    await openPage();
    await stage.page.evaluate(async () => {
      for await (const name of (await navigator.storage.getDirectory()).keys()) {
        await (await navigator.storage.getDirectory()).removeEntry(name, { recursive: true });
      }
    });
    server.requests.length = 0;
  });

  const url = (fault: string, folder = 'conv3', name = 'rdf.yaml') =>
    `${server.origin}/${fault}/${folder}/${name}`;

  const add = (address: string, abortAfter?: number): Promise<Outcome> =>
    stage.page.evaluate(
      async ({ address, abortAfter }) => {
        const { library } = globalThis as unknown as { library: Library };
        const progress: number[] = [];
        const controller = new AbortController();
        try {
          const entry = await library.add(address, {
            signal: controller.signal,
            onProgress: ({ value }) => {
              progress.push(value);
              if (abortAfter !== undefined && value >= abortAfter) controller.abort();
            },
          });
          return { entry, progress };
        } catch (error) {
          const { kind, message } = error as Error & { kind: string };
          return { kind, message, progress };
        }
      },
      { address, abortAfter },
    );
  const stored = () =>
    stage.page.evaluate(async () =>
      (await (globalThis as unknown as { library: Library }).library.list())
        .filter(({ state }) => state === 'stored')
        .map(({ id }) => id),
    );

  it('lists the models that ship, the default one first', async () => {
    const [first] = await stage.page.evaluate(() =>
      (globalThis as unknown as { library: Library }).library.list(),
    );
    assert.equal(first.isDefault, true);
    assert.equal(first.state, 'built-in');
    assert.equal(first.license, 'Apache-2.0');
    assert.ok((first.size ?? 0) > 1e6);
  });

  it('tells licence and size before anything but the card is loaded', async () => {
    const entry = await stage.page.evaluate(
      (address) => (globalThis as unknown as { library: Library }).library.inspect(address),
      url('ok', 'default'),
    );
    assert.equal(entry.license, 'Apache-2.0');
    assert.equal(entry.state, 'remote');
    assert.ok((entry.size ?? 0) > 1e6);
    assert.deepEqual(server.requests, ['GET rdf.yaml']);
  });

  it('loads the default model from a server, lists it after a reload, runs it and forgets it', async () => {
    const { entry, progress } = await add(url('ok', 'default', ''));
    assert.equal(entry?.id, 'cyto-s1');
    assert.equal(progress.at(-1), entry?.size && (await readFile(`${DEFAULT}/model.onnx`)).length);
    assert.deepEqual(
      progress,
      [...progress].sort((a, b) => a - b),
    );
    await openPage();
    assert.deepEqual(await stored(), ['cyto-s1']);
    await server.close();
    const count = await stage.page.evaluate(async () => {
      const at = (path: string) => new URL(path, location.href).href;
      const { SegmentationClient }: typeof import('../../workers/segmentation/client.ts') = await import(
        at('/dist/segmentation-client.js')
      );
      const { ImageReader }: typeof import('../../workers/io/index.ts') = await import(at('/dist/io.js'));
      const source = await new ImageReader().open(at('/demo/data/nuclei-small-2d.png'));
      const client = new SegmentationClient();
      const result = await client.run(await source.readVolume(), {}, { model: 'cyto-s1' });
      client.dispose();
      return [result.count, result.model.id] as const;
    });
    assert.ok(count[0] > 5, `${count[0]} cells`);
    assert.equal(count[1], 'cyto-s1');
    await stage.page.evaluate(() =>
      (globalThis as unknown as { library: Library }).library.forget('cyto-s1'),
    );
    assert.deepEqual(await stored(), []);
    server = await startModelServer({ conv3: CONV3, default: DEFAULT, packages });
  });

  it('takes up a cut connection where it broke', async () => {
    const { entry } = await add(url('cut', 'default'));
    assert.equal(entry?.id, 'cyto-s1');
    const size = (await readFile(`${DEFAULT}/model.onnx`)).length;
    const asked = server.requests.filter((request) => request.startsWith('GET model.onnx'));
    assert.deepEqual(asked, ['GET model.onnx', `GET model.onnx bytes=${Math.floor(size / 3)}-`]);
  });

  it('goes on after the page was closed in the middle of a download', async () => {
    const half = add(url('hang', 'default')).catch(() => undefined);
    const third = Math.floor((await readFile(`${DEFAULT}/model.onnx`)).length / 3);
    // The last bytes that came are on the disk.
    await stage.page.evaluate(async (bytes) => {
      const root = await navigator.storage.getDirectory();
      const models = await root.getDirectoryHandle('cytopane-models', { create: true });
      for (let arrived = 0; arrived < bytes; await new Promise((resolve) => setTimeout(resolve, 50))) {
        for await (const folder of models.values()) {
          const file = await (folder as FileSystemDirectoryHandle).getFileHandle('model.onnx', {
            create: true,
          });
          arrived = (await file.getFile()).size;
        }
      }
    }, third);
    await openPage();
    await half;
    assert.deepEqual(await stored(), [], 'a part of a model is no model');
    const { entry } = await add(url('hang', 'default'));
    assert.equal(entry?.id, 'cyto-s1');
    assert.ok(server.requests.includes(`GET model.onnx bytes=${third}-`), server.requests.join('\n'));
  });

  it('starts anew where a server knows no ranges', async () => {
    const { entry } = await add(url('no-range'));
    assert.equal(entry?.id, 'conv3');
  });

  it('can be stopped and keeps what has come', async () => {
    const { kind } = await add(url('hang', 'default'), 1);
    assert.equal(kind, 'aborted');
    const { entry } = await add(url('hang', 'default'));
    assert.equal(entry?.id, 'cyto-s1');
    assert.ok(server.requests.some((request) => /bytes=[1-9]\d*-/.test(request)));
  });

  it('names what is wrong: hash, missing file, CORS, address, contract', async () => {
    const refused = async (address: string, kind: string, words: RegExp) => {
      const outcome = await add(address);
      assert.equal(outcome.kind, kind, outcome.message);
      assert.match(outcome.message ?? '', words);
    };
    await refused(url('wrong'), 'corrupt-file', /"model\.onnx" of "Convolution of tests".*SHA-256/);
    await refused(url('missing'), 'not-found', /no file at .*model\.onnx/);
    await refused(url('no-cors'), 'network', /sends no CORS header.*add it as a file/);
    await refused('http://127.0.0.1:9/rdf.yaml', 'network', /could not be loaded/);
    await refused('ftp://example.org/rdf.yaml', 'bad-input', /https/);
    await refused(url('ok', 'conv3', 'nothing.yaml'), 'not-found', /no file at/);
    assert.deepEqual(await stored(), []);
  });

  it('loads once more from the beginning if a resumed file has the wrong hash', async () => {
    const { entry } = await add(url('wrong-once'));
    assert.equal(entry?.id, 'conv3');
  });

  it('opens files, a folder and a zip; a zip on a server is looked into by ranges', async () => {
    const files = await Promise.all(
      NAMES.map(async (name) => [name, (await readFile(`${CONV3}/${name}`)).toString('base64')] as const),
    );
    const zip = zipSync(
      Object.fromEntries(
        files.map(([name, base64]) => [`conv3/${name}`, Uint8Array.from(Buffer.from(base64, 'base64'))]),
      ),
    );
    const ids = await stage.page.evaluate(
      async ({ files, zip }) => {
        const { library } = globalThis as unknown as { library: Library };
        const bytes = (base64: string) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
        const found: string[] = [];
        const take = async (input: Parameters<Library['add']>[0]) => {
          found.push((await library.add(input)).id);
          await library.forget('conv3');
        };
        const parts = files.map(([name, base64]) => new File([bytes(base64)], name));
        await take(parts);
        for (const file of parts)
          Object.defineProperty(file, 'webkitRelativePath', { value: `my models/${file.name}` });
        await take(parts);
        await take(new File([bytes(zip)], 'conv3.zip'));
        const failures: string[] = [];
        for (const input of [
          parts.slice(1),
          parts.slice(0, 4),
          [new File([bytes(zip).subarray(0, 600)], 'cut.zip')],
          [new File(['not a zip'], 'none.zip')],
        ]) {
          await library
            .add(input)
            .catch((error: Error & { kind: string }) => failures.push(`${error.kind}: ${error.message}`));
        }
        return { found, failures };
      },
      { files, zip: Buffer.from(zip).toString('base64') },
    );
    assert.deepEqual(ids.found, ['conv3', 'conv3', 'conv3']);
    await writeFile(`${packages}/conv3.zip`, zip);
    const { entry } = await add(url('ok', 'packages', 'conv3.zip'));
    assert.equal(entry?.id, 'conv3');
    assert.ok(server.requests.filter((request) => / bytes=/.test(request)).length >= 2);
    const blind = await add(url('no-range', 'packages', 'conv3.zip'));
    assert.equal(blind.kind, 'network');
    assert.match(blind.message ?? '', /does not answer range requests/);
    assert.equal(ids.failures.length, 4);
    assert.match(ids.failures[0], /^not-found: There is no rdf\.yaml/);
    assert.match(ids.failures[1], /^not-found: .*"test_output\.npy"/);
    assert.match(ids.failures[2], /^corrupt-file: cut\.zip/);
    assert.match(ids.failures[3], /^corrupt-file: none\.zip/);
  });

  it('says that the storage is full, leaves nothing behind and goes on when there is room', async () => {
    const session = await stage.page.context().newCDPSession(stage.page);
    const limit = (quotaSize?: number) =>
      session.send('Storage.overrideQuotaForOrigin', {
        origin: stage.origin,
        ...(quotaSize === undefined ? {} : { quotaSize }),
      });
    await limit(1000);
    for (const folder of ['conv3', 'default']) {
      const { kind, message } = await add(url('ok', folder));
      assert.equal(kind, 'quota', message);
      assert.match(message ?? '', /does not fit. Forget models/);
    }
    await limit();
    await session.detach();
    assert.deepEqual(await stored(), []);
    assert.equal((await add(url('ok'))).entry?.id, 'conv3');
  });
});

describe('models of a page without a secure context', () => {
  it('are kept as long as the page, and run', { timeout: 60_000 }, async () => {
    const server = await startModelServer({ conv3: CONV3 });
    const stage = await openStage({ flags: ['--host-resolver-rules=MAP portal.test 127.0.0.1'] });
    try {
      await stage.page.goto(`${stage.origin.replace('127.0.0.1', 'portal.test')}/test/evaluate/page.html`);
      const outcome = await stage.page.evaluate(async (address) => {
        const at = (path: string) => new URL(path, location.href).href;
        const { ModelLibrary }: typeof import('../../workers/models/client.ts') = await import(
          at('/dist/model-library.js')
        );
        const { SegmentationClient }: typeof import('../../workers/segmentation/client.ts') = await import(
          at('/dist/segmentation-client.js')
        );
        const { createVolume }: typeof import('../../core/index.ts') = await import(at('/dist/core.js'));
        const library = new ModelLibrary();
        const { id } = await library.add(address);
        const volume = createVolume({ data: new Uint8Array(64 * 64).map((_, i) => i % 7), shape: [64, 64] });
        const { model } = await new SegmentationClient().run(volume, {}, { model: id });
        return { secure: isSecureContext, ids: (await library.list()).map((entry) => entry.id), model };
      }, `${server.origin}/ok/conv3/`);
      assert.equal(outcome.secure, false);
      assert.deepEqual(outcome.ids, ['default', 'conv3']);
      assert.equal(outcome.model.id, 'conv3');
    } finally {
      await stage.close();
      await server.close();
    }
  });
});
