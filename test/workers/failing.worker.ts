/// <reference lib="webworker" />
import { letMessagesIn, moving, serve } from '../../workers/serve.ts';

/** A worker that can be made to fail in every way. */
serve({
  double: (value: number) => value * 2,
  async count(to: number, { signal, onProgress }: import('../../core/progress.ts').TaskOptions) {
    for (let k = 0; k < to; k++) {
      signal?.throwIfAborted();
      onProgress?.({ phase: 'count', value: k, total: to });
      await letMessagesIn();
    }
    return to;
  },
  move: (bytes: Uint8Array<ArrayBuffer>) => moving({ bytes }, [bytes.buffer]),
  refuse() {
    throw new RangeError('a foreign error');
  },
  crash() {
    setTimeout(() => {
      throw new Error('out of order');
    });
    return new Promise(() => undefined);
  },
  hang() {
    for (;;);
  },
});
