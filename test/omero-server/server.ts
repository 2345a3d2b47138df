import { Buffer } from 'node:buffer';
import { readFile, stat } from 'node:fs/promises';
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { type Answer, BODY_LIMIT, type Call, type Route, routesOf } from './routes.ts';
import { type OmeroServerOptions, OmeroStore, type Session } from './store.ts';

export interface OmeroServer {
  store: OmeroStore;
  origin: string;
  /** Address of OMERO.web. */
  root: string;
  /** Most requests that were answered at the same time. */
  mostInFlight(): number;
  /** Ends all sessions, as OMERO does after ten idle minutes. */
  expireSessions(): void;
  /** Breaks the connection of the next request whose path matches, before or after it was carried out. */
  breakNext(path: RegExp, when: 'before' | 'after'): void;
  close(): Promise<void>;
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
};

/** A server that behaves like OMERO.web where the product touches it. */
export async function startOmeroServer(options: OmeroServerOptions = {}): Promise<OmeroServer> {
  const { prefix = '/', delay = 0, mounts = {} } = options;
  const store = new OmeroStore();
  const routes: Route[] = routesOf(store, options);
  let inFlight = 0;
  let most = 0;
  const breaks: Array<{ path: RegExp; when: 'before' | 'after' }> = [];

  async function answer(request: IncomingMessage, url: URL): Promise<Answer> {
    const file = await staticFile(decodeURIComponent(url.pathname), mounts);
    if (file) return file;
    if (!url.pathname.startsWith(prefix)) return notFound();
    const path = url.pathname.slice(prefix.length);
    const method = request.method ?? 'GET';
    const cookies = Object.fromEntries(
      (request.headers.cookie ?? '').split(/;\s*/).map((pair) => pair.split('=', 2)),
    );
    const known = store.sessions.get(cookies.sessionid);
    const session = known && known.expires > Date.now() && known.userId > 0 ? known : undefined;
    const body = await bodyOf(request);
    const call: Call = {
      method,
      path,
      query: url.searchParams,
      body,
      type: request.headers['content-type'] ?? '',
      base: `http://${request.headers.host}${prefix}api/v0/`,
      session,
    };
    if (path === 'api/v0/token/') {
      const token = cookies.csrftoken ?? store.newSession(0).csrf;
      const headers = {
        'Content-Type': 'application/json',
        'Set-Cookie': `csrftoken=${token}; Path=/; SameSite=Lax`,
      };
      return { headers, body: JSON.stringify({ data: token }) };
    }
    const safe = method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
    if (!safe) {
      const origin = request.headers.origin;
      if (origin && origin !== `http://${request.headers.host}`)
        return csrf(`Origin checking failed - ${origin} does not match any trusted origins.`);
      const sent = request.headers['x-csrftoken'];
      if (!cookies.csrftoken) return csrf('CSRF cookie not set.');
      if (sent !== cookies.csrftoken) return csrf(sent ? 'CSRF token incorrect.' : 'CSRF token missing.');
    }
    if (path === 'api/v0/login/') return login(call);
    if (typeof options.plugin === 'string' && path.startsWith('cytopane/'))
      return forwarded(options.plugin, request, body);
    for (const [methods, pattern, guard, handler] of routes) {
      const match = pattern.exec(path);
      if (!match || !methods.test(method)) continue;
      if (guard !== 'open' && !session && !(options.publicUser && safe)) {
        if (guard === 'api') return jsonAnswer(403, { message: 'Not logged in' });
        if (request.headers['x-requested-with'] === 'XMLHttpRequest') return { status: 403, body: '' };
        return {
          status: 302,
          headers: { Location: `${prefix}webclient/login/?url=${encodeURIComponent(url.pathname)}` },
          body: '',
        };
      }
      // Views that read the form, not the body, meet the limit in Django's own way.
      if (body.length > BODY_LIMIT && call.type.includes('urlencoded'))
        return { status: 400, body: '<h1>Bad Request (400)</h1>' };
      return handler(match.slice(1), call);
    }
    return notFound();
  }

  function login({ method, body, type, session }: Call): Answer {
    if (method !== 'POST')
      return jsonAnswer(405, { message: 'POST only with username, password, server and csrftoken' });
    const form: Record<string, unknown> = type.includes('json')
      ? JSON.parse(body.toString() || '{}')
      : Object.fromEntries(new URLSearchParams(body.toString()));
    if (Object.keys(form).filter((key) => key !== 'csrfmiddlewaretoken').length === 0 && session)
      return jsonAnswer(200, eventContext(session));
    for (const field of ['username', 'password'])
      if (!form[field])
        return jsonAnswer(403, {
          message: `${field[0].toUpperCase()}${field.slice(1)}: This field is required.`,
        });
    const user = store.users.find(
      ({ name, password }) => name === form.username && password === form.password,
    );
    if (!user)
      return jsonAnswer(403, {
        message: 'Connection not available, please check your user name and password.',
      });
    const made = store.newSession(user.id);
    return {
      ...jsonAnswer(200, eventContext(made)),
      headers: {
        'Content-Type': 'application/json',
        'Set-Cookie': [
          `sessionid=${made.id}; Path=/; HttpOnly; SameSite=Lax`,
          `csrftoken=${made.csrf}; Path=/; SameSite=Lax`,
        ].join('\n'),
      },
    };
  }

  function eventContext({ userId, id }: Session) {
    const user = store.users.find((other) => other.id === userId);
    return {
      success: true,
      eventContext: {
        sessionId: 51234,
        sessionUuid: id,
        userId,
        userName: user?.name,
        groupId: 3,
        groupName: 'Lab A',
        isAdmin: false,
        eventId: -1,
        eventType: 'User',
        memberOfGroups: [3, 1],
        leaderOfGroups: [],
      },
    };
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
    const broken = breaks.findIndex(({ path }) => path.test(url.pathname));
    const cut = broken >= 0 ? breaks.splice(broken, 1)[0].when : undefined;
    if (cut === 'before') return void request.socket.destroy();
    const dynamic =
      url.pathname.startsWith(prefix) && !Object.keys(mounts).some((mount) => url.pathname.startsWith(mount));
    if (dynamic) most = Math.max(most, ++inFlight);
    try {
      if (delay > 0 && dynamic) await new Promise((resolve) => setTimeout(resolve, delay));
      const given = await answer(request, url);
      if (cut === 'after') return void request.socket.destroy();
      send(response, given);
    } catch (error) {
      send(response, jsonAnswer(500, { message: String(error), stacktrace: (error as Error).stack }));
    } finally {
      if (dynamic) inFlight--;
    }
  });
  // A client in the same process that computes for seconds would find its connection closed.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  return {
    store,
    origin,
    root: `${origin}${prefix}`,
    mostInFlight: () => most,
    expireSessions: () => store.sessions.clear(),
    breakNext: (path, when) => breaks.push({ path, when }),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** What another server answers, which sees the request as it came. */
function forwarded(origin: string, { url, method, headers }: IncomingMessage, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = forward(new URL(url ?? '/', origin), { method, headers }, async (answer) => {
      // The length is written anew.
      const {
        'content-length': _length,
        'set-cookie': _cookies,
        connection: _kept,
        ...rest
      } = answer.headers;
      resolve({
        status: answer.statusCode ?? 500,
        headers: rest as Record<string, string>,
        body: await bodyOf(answer),
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const jsonAnswer = (status: number, value: unknown): Answer => ({
  status,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(value),
});
const csrf = (reason: string) => jsonAnswer(403, { message: `CSRF Failed: ${reason}` });
const notFound = (): Answer => ({
  status: 404,
  headers: { 'Content-Type': 'text/html' },
  body: '<!DOCTYPE html><h1>Not Found</h1>',
});

function send(response: ServerResponse, { status = 200, headers = {}, body }: Answer): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const { 'Set-Cookie': cookies, ...rest } = headers;
  response.writeHead(status, {
    'Cache-Control': 'no-cache',
    ...rest,
    ...(cookies ? { 'Set-Cookie': cookies.split('\n') } : {}),
    'Content-Length': bytes.length,
  });
  response.end(bytes);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

async function staticFile(path: string, mounts: Record<string, string>): Promise<Answer | undefined> {
  const mount = Object.keys(mounts).find((other) => path.startsWith(other));
  if (mount === undefined) return undefined;
  const file = join(mounts[mount], normalize(sep + path.slice(mount.length)));
  if (!(await stat(file).catch(() => undefined))?.isFile()) return notFound();
  // As nginx without an entry for them: no media type for wasm and module files of other names.
  return {
    headers: { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' },
    body: await readFile(file),
  };
}
