/**
 * Tagged errors. Every failure a caller can meet carries a `kind` to branch on, a sentence that names the
 * problem and the way out, and the underlying `cause` where there is one.
 */

/** What went wrong, in terms a host page can act on. */
export type ErrorKind =
  | 'aborted' // the caller's AbortSignal fired
  | 'bad-input' // a value or parameter is outside what the function accepts
  | 'corrupt-file' // the bytes contradict their own format
  | 'unsupported' // a valid file or option that this version cannot handle
  | 'too-large' // would not fit into memory or into a device limit
  | 'not-found' // nothing at that address
  | 'quota' // the browser's storage for this page is full
  | 'network' // the request failed, CORS refusals included
  | 'login' // the server wants the user to log in, or to log in again
  | 'forbidden' // the user may not do this on the server
  | 'backend' // the inference backend failed or gave wrong numbers
  | 'worker-crashed' // a worker died; it has been replaced
  | 'model' // the model file or its description is unusable
  | 'internal'; // a broken invariant of ours

/** An error with a machine-readable {@link ErrorKind}. Survives structured cloning through {@link toWire}. */
export class CytoError extends Error {
  override readonly name = 'CytoError';
  readonly kind: ErrorKind;

  constructor(kind: ErrorKind, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.kind = kind;
  }
}

/** A {@link CytoError} as plain data, for `postMessage`. */
export interface WireError {
  kind: ErrorKind;
  message: string;
  cause?: string;
}

/** True for aborts of either form: a DOMException named AbortError or a {@link CytoError} of kind `aborted`. */
export function isAbort(error: unknown): boolean {
  return (
    error instanceof Error &&
    (error.name === 'AbortError' || (error as Partial<CytoError>).kind === 'aborted')
  );
}

/** The given error as a {@link CytoError}; foreign errors become `fallback` with the original as cause. */
export function asCytoError(error: unknown, fallback: ErrorKind = 'internal'): CytoError {
  if (error instanceof CytoError) return error;
  if (isAbort(error)) return new CytoError('aborted', 'The operation was cancelled.', { cause: error });
  const message = error instanceof Error ? error.message : String(error);
  return new CytoError(fallback, message, { cause: error });
}

/** Plain-data form of any error, for crossing a worker boundary. */
export function toWire(error: unknown): WireError {
  const { kind, message, cause } = asCytoError(error);
  return cause === undefined ? { kind, message } : { kind, message, cause: String(cause) };
}

/** The inverse of {@link toWire}. */
export function fromWire(wire: WireError): CytoError {
  return new CytoError(wire.kind, wire.message, wire.cause === undefined ? undefined : { cause: wire.cause });
}

/** Throws a {@link CytoError} of kind `aborted` if the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new CytoError('aborted', 'The operation was cancelled.', { cause: signal.reason });
  }
}
