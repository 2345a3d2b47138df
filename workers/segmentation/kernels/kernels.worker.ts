import { type KernelExports, type KernelJob, NEXT, STOP } from './kernel-control.ts';

/** The first message: what to run on. */
export interface ThreadSetup {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  /** Number of this thread, from 0. */
  thread: number;
}

/** Takes chunks of the job until none is left. */
function work(exports: KernelExports, thread: number, job: KernelJob, control: Int32Array): void {
  const args = [...job.args];
  args[job.scratch.argument] += thread * job.scratch.bytes;
  for (;;) {
    const start = Atomics.add(control, NEXT, job.chunk);
    if (start >= job.total || Atomics.load(control, STOP) !== 0) return;
    exports[job.kernel](...args, start, Math.min(start + job.chunk, job.total));
  }
}

type Message = ThreadSetup | { job: KernelJob; control: Int32Array };

/** A browser's worker and one of Node speak the same way here. */
interface Port {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: { data: Message }) => void): void;
}

const inNode = typeof globalThis.process?.versions?.node === 'string';
const port: Port = inNode
  ? ((await import('node:worker_threads')).parentPort as unknown as Port)
  : (globalThis as unknown as Port);

let exports: KernelExports | undefined;
let number = 0;
port.addEventListener('message', ({ data }) => {
  if ('module' in data) {
    const { module, memory, thread } = data;
    number = thread;
    exports = new WebAssembly.Instance(module, { env: { memory } }).exports as KernelExports;
    return;
  }
  try {
    if (!exports) throw new Error('A job came before its setup.');
    work(exports, number, data.job, data.control);
    port.postMessage({ done: true });
  } catch (error) {
    port.postMessage({ error: error instanceof Error ? error.message : String(error) });
  }
});
