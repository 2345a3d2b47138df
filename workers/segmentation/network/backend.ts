import { CytoError, isAbort, throwIfAborted } from '../../../core/errors.ts';
import type { TaskOptions } from '../../../core/progress.ts';
import type { BackendReport, Refusal } from '../../../core/segmentation-parameters.ts';
import type { TileNetwork } from '../preprocess/run-tiles.ts';
import type { Model } from './model-files.ts';
import { threadCount } from './ort.ts';
import { remoteRung } from './remote.ts';
import { type OpenRung, type Rung, RungFailure, verify, wasmRung, webgpuRung } from './rung.ts';
import { type TrustMemory, trustMemory } from './trust.ts';

/**
 * What the caller asks for. `auto` takes the fastest rung of this computer that reproduces the model's test tensors;
 * `remote` sends tiles to a server first. Pixels leave the computer only if `remote` is asked for.
 */
export type BackendChoice = 'auto' | 'webgpu' | 'wasm' | 'remote';

/** An opened network. */
export interface Network {
  /** A tile that fails on a rung is computed again on the next. @throws CytoError `backend` if none is left */
  run: TileNetwork;
  /** The rung in use; another object after it has changed. */
  readonly report: BackendReport;
  /** Tiles that one call should have on that rung; more are computed one call after the other. */
  readonly batch: number;
  release(): Promise<void>;
}

/** Signal and progress concern the opening alone. */
export interface OpenOptions extends TaskOptions {
  /** Address of the model on an inference server, `https://host/v2/models/NAME`; for `remote`. */
  server?: string;
  /** Called when a tile has failed and is computed again on another rung. */
  onChange?: (report: BackendReport) => void;
  /** Where verdicts on rungs are kept; by default in this browser. */
  trust?: TrustMemory;
}

/**
 * Opens a model on the best rung that reproduces its test tensors: the server if one is asked for, WebGPU, WASM with
 * threads (on cross-origin isolated pages), WASM on one thread. What was not used, and why, stands in the report.
 * @throws CytoError `backend` if none works; `model` if the network's output has the wrong shape; `aborted`
 */
export async function openNetwork(
  model: Model,
  wanted: BackendChoice = 'auto',
  options: OpenOptions = {},
): Promise<Network> {
  const ladder = new Ladder(model, options);
  ladder.plan(wanted);
  const { signal, onProgress } = options;
  await ladder.climbDown({ ...(signal ? { signal } : {}), ...(onProgress ? { onProgress } : {}) });
  return ladder;
}

class Ladder implements Network {
  readonly #model: Model;
  readonly #options: OpenOptions;
  readonly #trust: TrustMemory;
  readonly #rungs: Rung[] = [];
  readonly #refusals: Refusal[] = [];
  #adapter: string | undefined;
  /** The rung in use, also after release. */
  #rung: Rung = wasmRung(1);
  #verified = false;
  #open: OpenRung | undefined;

  constructor(model: Model, options: OpenOptions) {
    this.#model = model;
    this.#options = options;
    this.#trust = options.trust ?? trustMemory();
  }

  get report(): BackendReport {
    const { kind, threads } = this.#rung;
    return {
      kind,
      threads,
      verified: this.#verified,
      refusals: [...this.#refusals],
      ...(this.#adapter ? { adapter: this.#adapter } : {}),
    };
  }

  get batch(): number {
    return this.#open?.batch ?? 1;
  }

  run: TileNetwork = async (tiles, batch, height, width) => {
    const size = tiles.length / batch;
    const output = new Float32Array(tiles.length);
    for (let done = 0; done < batch; ) {
      const open = this.#open;
      if (!open) throw new CytoError('backend', 'The network was closed.');
      const count = Math.min(open.batch, batch - done);
      try {
        const part = tiles.slice(done * size, (done + count) * size);
        output.set(await open.run(part, count, height, width), done * size);
        done += count;
      } catch (error) {
        if (error instanceof CytoError || isAbort(error)) throw error;
        this.#open = undefined;
        await this.#leave(this.#rung, open, error, true);
        // Less may fit at once on the next rung: what was computed stays.
        await this.climbDown();
        this.#options.onChange?.(this.report);
      }
    }
    return output;
  };

  async release(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.release();
  }

  /** Lists the rungs that may be tried. */
  plan(wanted: BackendChoice): void {
    if (wanted === 'remote') {
      if (!this.#options.server) {
        throw new CytoError(
          'bad-input',
          'The backend "remote" needs the address of a model on an inference server (https://host/v2/models/NAME).',
        );
      }
      this.#rungs.push(remoteRung(this.#options.server));
    }
    if (wanted !== 'wasm') this.#rungs.push(webgpuRung(wanted === 'webgpu'));
    const threads = threadCount();
    if (threads > 1) this.#rungs.push(wasmRung(threads));
    this.#rungs.push(wasmRung(1));
  }

  /** Takes the next rung that opens and can be trusted. @throws CytoError `backend`, `model`, `aborted` */
  async climbDown(task: TaskOptions = {}): Promise<void> {
    let last: unknown;
    for (let rung = this.#rungs.shift(); rung; rung = this.#rungs.shift()) {
      throwIfAborted(task.signal);
      let open: OpenRung | undefined;
      try {
        open = await rung.open(this.#model, task);
        await verify(rung, open, this.#model, this.#trust);
        this.#rung = rung;
        this.#verified = true;
        this.#open = open;
        this.#adapter = open.adapter ?? this.#adapter;
        return;
      } catch (error) {
        last = error;
        if (error instanceof CytoError) {
          await open?.release();
          throw error;
        }
        await this.#leave(rung, open, error, false);
      }
    }
    const details = this.#refusals.map(({ detail }) => detail).join(' ');
    throw new CytoError('backend', `The network cannot run in this browser. ${details}`, { cause: last });
  }

  async #leave(rung: Rung, open: OpenRung | undefined, error: unknown, whileRunning: boolean): Promise<void> {
    const text = error instanceof Error ? error.message.split('\n')[0] : String(error);
    this.#refusals.push({
      kind: rung.kind,
      threads: rung.threads,
      reason: error instanceof RungFailure ? error.reason : whileRunning ? 'lost' : 'failed',
      detail: `${rung.name} is not used${whileRunning ? ' any more' : ''}: ${text}.`,
    });
    try {
      await open?.release();
    } catch (cause) {
      // What has failed may not end in order either.
      console.debug('cytopane:', cause);
    }
  }
}
