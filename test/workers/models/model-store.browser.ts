import { expect } from '@open-wc/testing';
import { WorkerLink } from '../../../workers/link.ts';
import type { SlowCall } from './slow-store.worker.ts';

const NAMES = ['rdf.yaml', 'model.onnx', 'model.onnx.data', 'test_input.npy', 'test_output.npy'];
const MOMENT = 400;
const AGE = 14 * 24 * 3600 * 1000;

const soon = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A small model under an id of its own. */
async function modelOf(id: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const name of NAMES) {
    const answer = await fetch(new URL(`conv3/${name}`, import.meta.url));
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const text = name === 'rdf.yaml' ? new TextDecoder().decode(bytes) : undefined;
    files.set(name, text ? new TextEncoder().encode(text.replace(/id: conv3$/m, `id: ${id}`)) : bytes);
  }
  return files;
}

describe('the store of models, used by two tabs at once', () => {
  let tabs: WorkerLink[];
  const open = async (slow?: SlowCall) => {
    const tab = new WorkerLink(
      'The store',
      () => new Worker(new URL('./slow-store.worker.ts', import.meta.url), { type: 'module' }),
    );
    tabs.push(tab);
    await tab.call('list', []);
    if (slow) await tab.call('slow', [slow, MOMENT]);
    return tab;
  };
  const add = async (tab: WorkerLink, id: string) =>
    tab.call<string>('add', [new URL('/dist/', location.href).href, await modelOf(id)]);

  beforeEach(() => {
    tabs = [];
  });
  afterEach(async () => {
    for (const tab of tabs) tab.dispose();
    const root = await navigator.storage.getDirectory();
    await root.removeEntry('cytopane-models', { recursive: true });
  });

  it('does not take a folder that the other tab has just made for an abandoned one', async () => {
    const [busy, other] = [await open('make-file'), await open()];
    const begun = busy.call<number>('begin', ['model.onnx']);
    await soon(MOMENT / 2);
    await other.call('sweep', [Date.now() - AGE]);
    expect(await begun).equal(3);
    expect(await busy.call('goOn', [])).equal(4);
  });

  it('leaves a file that is being written, however old its folder', async () => {
    const [busy, other] = [await open(), await open()];
    await busy.call('begin', ['model.onnx']);
    await other.call('sweep', [Date.now() + AGE]);
    expect(await busy.call('goOn', [])).equal(4);
    await other.call('sweep', [Date.now() + AGE]);
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('cytopane-models');
    const left: string[] = [];
    for await (const name of (root as unknown as { keys(): AsyncIterable<string> }).keys()) left.push(name);
    expect(left).eql([]);
  });

  it('looks for abandoned folders while one of them vanishes', async () => {
    const [busy, other] = [await open(), await open('open-file')];
    await busy.call('begin', ['model.onnx']);
    await busy.call('goOn', []);
    const swept = other.call('sweep', [Date.now() - AGE]);
    await soon(MOMENT / 2);
    await busy.call('discard', []);
    await swept;
  });

  it('lists the models while one of them is forgotten', async () => {
    const [busy, other] = [await open(), await open('read-file')];
    await add(busy, 'first');
    const listed = other.call<string[]>('list', []);
    await soon(MOMENT / 2);
    await busy.call('forget', ['first']);
    expect(await listed).eql([]);
  });
});
