import { html, nothing, type ReactiveControllerHost } from 'lit';
import { asCytoError, CytoError } from '../../core/errors.ts';
import type { OmeroConnection } from '../../core/omero/connection.ts';
import type { Texts } from '../localization/en.ts';

/** Asks for user name and password in place, so that the work of the page is not lost by going elsewhere. */
export class LoginForm {
  /** Whether a login is wanted. */
  open = false;
  readonly #host: ReactiveControllerHost;
  #connection: OmeroConnection | undefined;
  #servers: Array<{ id: number; host: string; server?: string }> = [];
  #message = '';
  #busy = false;
  #settle: { resolve: () => void; reject: (error: CytoError) => void } | undefined;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
  }

  /** Resolves when the user has logged in. @throws CytoError `login` when the user gives up */
  ask(connection: OmeroConnection): Promise<void> {
    this.#connection = connection;
    this.#message = '';
    this.open = true;
    connection.servers().then(
      (servers) => {
        this.#servers = servers;
        this.#host.requestUpdate();
      },
      // Without a list the first server is taken, as nearly all installations have just one.
      (error: unknown) => console.debug('cytopane:', error),
    );
    this.#host.requestUpdate();
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  /** Gives up: requests that wait for the login fail. */
  cancel(): void {
    this.open = false;
    this.#settle?.reject(new CytoError('login', 'You are not logged in to OMERO. Log in and try again.'));
    this.#settle = undefined;
    this.#host.requestUpdate();
  }

  #submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    this.#busy = true;
    this.#message = '';
    this.#host.requestUpdate();
    try {
      await this.#connection?.logIn({
        username: String(form.get('username')),
        password: String(form.get('password')),
        server: Number(form.get('server') ?? this.#servers[0]?.id ?? 1),
      });
      this.open = false;
      this.#settle?.resolve();
      this.#settle = undefined;
    } catch (cause) {
      this.#message = asCytoError(cause, 'network').message;
    }
    this.#busy = false;
    this.#host.requestUpdate();
  };

  /** @param interrupted whether the login comes in the middle of work */
  render(texts: Texts['omero'], interrupted: boolean) {
    return html`<h2>${texts.logIn}</h2>
      ${interrupted ? html`<p role="alert">${texts.sessionEnded}</p>` : nothing}
      <form @submit=${this.#submit}>
        ${
          this.#servers.length > 1
            ? html`<label>${texts.server}<select name="server">${this.#servers.map(({ id, host, server }) => html`<option value=${id}>${server ?? host}</option>`)}</select></label>`
            : nothing
        }
        <label>${texts.user}<input name="username" autocomplete="username" required /></label>
        <label>${texts.password}<input name="password" type="password" autocomplete="current-password" required /></label>
        ${this.#message ? html`<p class="alert" role="alert">${this.#message}</p>` : nothing}
        <span class="row"><button class="primary" ?disabled=${this.#busy}>${texts.loginButton}</button>
        <button type="button" class="quiet" @click=${() => this.cancel()}>${texts.cancel}</button></span>
      </form>`;
  }
}
