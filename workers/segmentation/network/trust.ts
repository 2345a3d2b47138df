import { createStore, get, set, type UseStore } from 'idb-keyval';
import type { ModelCard } from './model-card.ts';

/** What a rung of the ladder gave for a model's test tensors. */
export interface Verdict {
  /** Adapter and versions it was found with; another environment makes it void. */
  environment: string;
  agreed: boolean;
  /** Elements outside the tolerance. */
  mismatched: number;
}

/** Remembers verdicts, so that test tensors are run once per model, rung, adapter and version. */
export interface TrustMemory {
  recall(card: ModelCard, rung: string, environment: string): Promise<Verdict | undefined>;
  remember(card: ModelCard, rung: string, verdict: Verdict): Promise<void>;
}

/** A verdict belongs to the very weights. */
const keyOf = ({ weights, externalData }: ModelCard, rung: string) =>
  [weights.sha256, externalData?.sha256, rung].filter(Boolean).join(' ');

/** A memory that ends with its owner. */
export class SessionTrust implements TrustMemory {
  readonly #verdicts = new Map<string, Verdict>();

  async recall(card: ModelCard, rung: string, environment: string): Promise<Verdict | undefined> {
    const verdict = this.#verdicts.get(keyOf(card, rung));
    return verdict?.environment === environment ? verdict : undefined;
  }

  async remember(card: ModelCard, rung: string, verdict: Verdict): Promise<void> {
    this.#verdicts.set(keyOf(card, rung), verdict);
  }
}

/** The memory of this browser for this origin. */
export class BrowserTrust implements TrustMemory {
  #store: UseStore | undefined;

  async recall(card: ModelCard, rung: string, environment: string): Promise<Verdict | undefined> {
    const verdict = await get<Verdict>(keyOf(card, rung), this.#open());
    return verdict?.environment === environment ? verdict : undefined;
  }

  remember(card: ModelCard, rung: string, verdict: Verdict): Promise<void> {
    return set(keyOf(card, rung), verdict, this.#open());
  }

  #open(): UseStore {
    this.#store ??= createStore('cytopane-trust', 'verdicts');
    return this.#store;
  }
}

/** The best memory there is here. */
export function trustMemory(): TrustMemory {
  return typeof indexedDB === 'undefined' ? new SessionTrust() : new BrowserTrust();
}
