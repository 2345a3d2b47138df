import { expect } from '@open-wc/testing';
import { CytoError } from '../../core/errors.ts';
import type { Progress } from '../../core/progress.ts';
import { WorkerLink } from '../../workers/link.ts';

/** The error of a rejection. */
async function failure(work: Promise<unknown>): Promise<CytoError> {
  try {
    await work;
  } catch (error) {
    expect(error).instanceOf(CytoError);
    return error as CytoError;
  }
  throw new Error('It did not fail.');
}

describe('a worker of the page', () => {
  let started = 0;
  let link: WorkerLink;
  beforeEach(() => {
    started = 0;
    link = new WorkerLink('The test worker', () => {
      started++;
      return new Worker(new URL('./failing.worker.ts', import.meta.url), { type: 'module' });
    });
  });
  afterEach(() => link.dispose());

  it('starts when it is first needed and answers', async () => {
    expect(started).equal(0);
    expect(await Promise.all([1, 2, 3].map((value) => link.call('double', [value])))).eql([2, 4, 6]);
    expect(started).equal(1);
  });

  it('moves buffers both ways', async () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const answer = await link.call<{ bytes: Uint8Array }>('move', [bytes], { transfer: [bytes.buffer] });
    expect(bytes.length).equal(0);
    expect([...answer.bytes]).eql([1, 2, 3]);
  });

  it('tells progress in order', async () => {
    const seen: Progress[] = [];
    await link.call('count', [500], { onProgress: (progress) => seen.push(progress) });
    // What arrives after the answer is not told.
    expect(seen.length).above(0);
    expect(seen.map(({ value }) => value)).eql(seen.map((_, k) => k));
  });

  it('passes errors on with their kind and message', async () => {
    const error = await failure(link.call('refuse', []));
    expect(error.kind).equal('internal');
    expect(error.message).equal('a foreign error');
    expect(await link.call('double', [4])).equal(8);
  });

  it('that crashes is replaced, and every call under way says so', async () => {
    const waiting = failure(link.call('count', [1e9]));
    const crashed = await failure(link.call('crash', []));
    expect(crashed.kind).equal('worker-crashed');
    expect(crashed.message).contain('The test worker stopped unexpectedly');
    expect((await waiting).kind).equal('worker-crashed');
    expect(await link.call('double', [21])).equal(42);
    expect(started).equal(2);
  });

  it('is cancelled at once, even when it does not listen, and replaced if it never does', async () => {
    await link.call('double', [1]);
    const controller = new AbortController();
    const hanging = failure(link.call('hang', [], { signal: controller.signal }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const asked = performance.now();
    controller.abort();
    expect((await hanging).kind).equal('aborted');
    expect(performance.now() - asked).below(100);
    await new Promise((resolve) => setTimeout(resolve, 4500));
    expect(await link.call('double', [2])).equal(4);
    expect(started).equal(2);
  });

  it('a signal that has fired before starts nothing', async () => {
    expect((await failure(link.call('double', [1], { signal: AbortSignal.abort() }))).kind).equal('aborted');
    expect(started).equal(0);
  });

  it('closing rejects what is under way', async () => {
    const counting = failure(link.call('count', [1e9]));
    link.dispose();
    expect((await counting).kind).equal('aborted');
  });
});
