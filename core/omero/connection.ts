import { CytoError, throwIfAborted } from '../errors.ts';
import type { TaskOptions } from '../progress.ts';
import { RequestQueue } from './request-queue.ts';

/** How OMERO.web is reached. */
export interface OmeroOptions {
  /** Address of OMERO.web with its prefix, relative to the page: `/` or `https://omero.example.org/omero/`. */
  root: string | URL;
  /** Another `fetch`, e.g. one that keeps cookies outside browsers. */
  fetch?: typeof fetch;
  /** Cookies go to servers of the same origin; `include` needs CORS with credentials on the server. */
  credentials?: RequestCredentials;
  /**
   * Called when the session has ended. Resolves once the user has logged in again: the request is then repeated.
   * Without it such requests fail with kind `login`.
   */
  onLoginNeeded?: () => Promise<void>;
}

export interface OmeroRequest extends TaskOptions {
  method?: 'GET' | 'POST' | 'DELETE' | 'OPTIONS';
  body?: string | FormData | URLSearchParams;
  headers?: Record<string, string>;
  /** Whether it may be sent again after a broken connection; default for GET and OPTIONS. */
  repeatable?: boolean;
}

/** Who is logged in. */
export interface OmeroUser {
  userId: number;
  userName: string;
  groupId: number;
  groupName: string;
}

const TRIES = 3;
const FIRST_PAUSE_MS = 400;
const BUSY = [429, 502, 503, 504];

/**
 * Requests to one OMERO.web: at most four in flight, CSRF token, repetition after broken connections, and errors that
 * say what to do. Facts of the server: `omeroweb` 5.31 (JSON API v0, webgateway, webclient).
 */
export class OmeroConnection {
  readonly root: URL;
  /** See {@link OmeroOptions.onLoginNeeded}. */
  onLoginNeeded: (() => Promise<void>) | undefined;
  readonly #fetch: typeof fetch;
  readonly #credentials: RequestCredentials;
  readonly #queue = new RequestQueue(4);
  #token: Promise<string> | undefined;
  #login: Promise<void> | undefined;

  constructor({ root, fetch: own, credentials = 'same-origin', onLoginNeeded }: OmeroOptions) {
    this.root = new URL(root, globalThis.document?.baseURI);
    if (!this.root.pathname.endsWith('/')) this.root.pathname += '/';
    this.#fetch = own ?? ((input, init) => fetch(input, init));
    this.#credentials = credentials;
    this.onLoginNeeded = onLoginNeeded;
  }

  /**
   * One request.
   * @param path below the root of OMERO.web, without a leading slash
   * @throws CytoError `login`, `forbidden`, `not-found`, `network`, `aborted`
   */
  async request(path: string, request: OmeroRequest = {}): Promise<Response> {
    const { method = 'GET', signal } = request;
    const repeatable = request.repeatable ?? (method === 'GET' || method === 'OPTIONS');
    let freshToken = false;
    for (let attempt = 1; ; ) {
      throwIfAborted(signal);
      let failure: CytoError;
      try {
        const response = await this.#send(path, request, method);
        if (response.ok) return response;
        failure = await failureOf(response, this.#path(path));
        if (failure.kind === 'login' && this.onLoginNeeded) {
          await this.#loginAgain();
          continue;
        }
        if (CSRF_FAILED.test(failure.message) && !freshToken) {
          freshToken = true;
          this.#token = undefined;
          continue;
        }
        if (!BUSY.includes(response.status)) throw failure;
      } catch (error) {
        throwIfAborted(signal);
        if (error instanceof CytoError) throw error;
        failure = new CytoError(
          'network',
          `${this.root.host} cannot be reached. Check the connection; a server of another origin must also allow this page to read its answers (CORS).`,
          { cause: error },
        );
      }
      if (!repeatable || attempt >= TRIES) throw failure;
      await pause(FIRST_PAUSE_MS * 2 ** (attempt - 1), signal);
      attempt++;
    }
  }

  /** A JSON answer. @throws CytoError as {@link request}; `login` or `network` when a web page comes instead */
  async json<T>(path: string, request: OmeroRequest = {}): Promise<T> {
    for (;;) {
      const response = await this.request(path, {
        ...request,
        headers: { Accept: 'application/json', ...request.headers },
      });
      const text = await response.text();
      try {
        return JSON.parse(text) as T;
      } catch (cause) {
        const page = /^\s*</.test(text);
        // Servers that ignore X-Requested-With lead to their login page.
        if (page && /login/i.test(response.url) && this.onLoginNeeded) {
          await this.#loginAgain();
          continue;
        }
        if (page && /login/i.test(response.url)) throw loginNeeded(cause);
        throw new CytoError(
          'network',
          `${this.#path(path)} answered with ${page ? 'a web page' : 'something'} that is no JSON.`,
          { cause },
        );
      }
    }
  }

  /** Sends JSON and reads JSON; never repeated by itself, as the server may have stored what was sent. */
  postJson<T>(path: string, value: unknown, options: TaskOptions = {}): Promise<T> {
    return this.json<T>(path, {
      ...options,
      method: 'POST',
      body: JSON.stringify(value),
      headers: { 'Content-Type': 'application/json' },
      repeatable: false,
    });
  }

  /** Sends a form and reads JSON. */
  postForm<T>(path: string, form: FormData | URLSearchParams, options: TaskOptions = {}): Promise<T> {
    return this.json<T>(path, { ...options, method: 'POST', body: form, repeatable: false });
  }

  /** Servers that OMERO.web offers at login. */
  async servers(options: TaskOptions = {}): Promise<Array<{ id: number; host: string; server?: string }>> {
    type Answer = { data: Array<{ id: number; host: string; server?: string }> };
    return (await this.json<Answer>('api/v0/servers/', options)).data;
  }

  /**
   * Logs in.
   * @throws CytoError `login` with the server's own words when it refuses
   */
  async logIn(
    { username, password, server = 1 }: { username: string; password: string; server?: number },
    options: TaskOptions = {},
  ): Promise<OmeroUser> {
    this.#token = undefined;
    const form = new URLSearchParams({ server: String(server), username, password });
    const response = await this.#send('api/v0/login/', { ...options, body: form }, 'POST');
    const answer = (await response.json().catch(() => ({}))) as {
      message?: string;
      eventContext?: OmeroUser;
    };
    // Logging in makes a new token.
    this.#token = undefined;
    if (!response.ok || !answer.eventContext) {
      throw new CytoError('login', answer.message ?? `The login failed with status ${response.status}.`);
    }
    return answer.eventContext;
  }

  /** Who is logged in; undefined for a visitor without a session. */
  async user(options: TaskOptions = {}): Promise<OmeroUser | undefined> {
    const response = await this.#send('api/v0/login/', { ...options, body: new URLSearchParams() }, 'POST');
    if (!response.ok) return undefined;
    const answer = (await response.json().catch(() => ({}))) as { eventContext?: OmeroUser };
    return answer.eventContext;
  }

  /**
   * Pings the server so that the session, which ends after ten idle minutes, lives through a long computation.
   * @returns stops it
   */
  keepAlive(intervalMs = 60_000): () => void {
    const timer = setInterval(() => {
      this.#send('webclient/keepalive_ping/', {}, 'GET').catch((error: unknown) => {
        // A ping that is lost is made up for by the next; an ended session shows at the next request.
        console.debug('cytopane:', error);
      });
    }, intervalMs);
    return () => clearInterval(timer);
  }

  /** Whether there is something at a path: no answer but a good one counts. Never asks for a login. */
  async offers(path: string, request: OmeroRequest = {}): Promise<Response | undefined> {
    try {
      const response = await this.#send(path, request, request.method ?? 'GET');
      return response.ok ? response : undefined;
    } catch (error) {
      throwIfAborted(request.signal);
      console.debug('cytopane:', error);
      return undefined;
    }
  }

  #path(path: string): string {
    return new URL(path, this.root).pathname;
  }

  async #send(path: string, request: OmeroRequest, method: string): Promise<Response> {
    const { signal, body, headers } = request;
    const writes = method === 'POST' || method === 'DELETE';
    const token = writes ? await this.#csrfToken() : undefined;
    return this.#queue.run(
      () =>
        this.#fetch(new URL(path, this.root), {
          method,
          credentials: this.#credentials,
          headers: {
            'X-Requested-With': 'XMLHttpRequest',
            ...(token ? { 'X-CSRFToken': token } : {}),
            ...headers,
          },
          ...(body === undefined ? {} : { body }),
          ...(signal ? { signal } : {}),
        }),
      signal,
    );
  }

  /** From the API, as the cookie may be hidden from scripts. */
  #csrfToken(): Promise<string> {
    this.#token ??= this.#send('api/v0/token/', {}, 'GET')
      .then((response) => response.json())
      .then((answer: { data?: unknown }) => String(answer.data ?? ''));
    this.#token.catch(() => {
      this.#token = undefined;
    });
    return this.#token;
  }

  /** One login serves all requests that wait for it. */
  async #loginAgain(): Promise<void> {
    this.#login ??= (this.onLoginNeeded?.() ?? Promise.resolve()).finally(() => {
      this.#login = undefined;
      this.#token = undefined;
    });
    await this.#login;
  }
}

const CSRF_FAILED = /CSRF Failed/i;

const loginNeeded = (cause?: unknown) =>
  new CytoError('login', 'You are not logged in to OMERO, or the session has ended. Log in and try again.', {
    cause,
  });

/** Every documented shape of refusal, as an error. */
async function failureOf(response: Response, path: string): Promise<CytoError> {
  const text = await response.text().catch(() => '');
  let message = '';
  try {
    message = String((JSON.parse(text) as { message?: unknown }).message ?? '');
  } catch {
    // Pages of HTML say nothing that a user could use.
  }
  const { status } = response;
  if (status === 401 || (status === 403 && (text === '' || /not logged in/i.test(message))))
    return loginNeeded();
  if (status === 403) {
    if (CSRF_FAILED.test(message)) return new CytoError('forbidden', message);
    return new CytoError(
      'forbidden',
      `OMERO does not allow this${message ? `: ${firstLine(message)}` : ''}. Ask the owner of the data or the administrator for permission.`,
    );
  }
  if (status === 404) {
    return new CytoError('not-found', message ? `OMERO: ${firstLine(message)}.` : `There is no ${path}.`);
  }
  if (status === 413 || /RequestDataTooBig/.test(text))
    return new CytoError('too-large', 'OMERO refused a request as too large.');
  return new CytoError(
    BUSY.includes(status) || status >= 500 ? 'network' : 'bad-input',
    `${path} answered with status ${status}${message ? `: ${firstLine(message)}` : ''}.`,
  );
}

const firstLine = (text: string) => text.split('\n', 1)[0].replace(/\.$/, '');

/** Waits. @throws CytoError `aborted` */
export function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    const stop = () => {
      clearTimeout(timer);
      reject(new CytoError('aborted', 'The operation was cancelled.', { cause: signal?.reason }));
    };
    signal?.addEventListener('abort', stop, { once: true });
  });
}
