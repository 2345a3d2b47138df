import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { property, state } from 'lit/decorators.js';
import { asCytoError, isAbort } from '../../core/errors.ts';
import type { Progress } from '../../core/progress.ts';
import { type ModelEntry, type ModelInput, ModelLibrary } from '../../workers/models/client.ts';
import { textsFor } from '../localization/texts.ts';
import { controlStyles } from '../styles.ts';

/** What is under way. */
interface Task {
  kind: 'look' | 'add' | 'forget';
  name: string;
  controller: AbortController;
  progress?: Progress;
}

/** SPDX identifiers, of which the licence text is a link away. */
const SPDX = /^[A-Za-z0-9][A-Za-z0-9.+-]*$/;

/**
 * Chooses the model of a segmenter: those that ship, those kept in this browser, and those offered by address. Shows
 * licence and size before anything is downloaded; adds models from files, a folder, a zip package or an address;
 * forgets them.
 *
 * @tag cyto-model-chooser
 * @fires change - Another model was chosen; `detail.id`, `detail.source` (`user`, or `api` after `add`).
 * @fires models - The list of models is known, or another.
 * @fires progress - A download; `detail.phase`, `detail.value`, `detail.total` (bytes).
 * @fires error - `detail.kind`, `detail.message`.
 * @csspart card - Licence, size and state of the chosen model.
 * @csspart notice - What to know before using the model.
 * @csspart offer - A model that was looked up and can be added.
 */
export class CytoModelChooser extends LitElement {
  static override styles = [
    controlStyles,
    css`
      :host { margin-block-end: 10px; }
      .row { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 6px 8px; align-items: center; }
      select, input { min-inline-size: 0; inline-size: 100%; }
      input[type='url'] { font: inherit; color: inherit; background: var(--_raised); border: 1px solid var(--_line); border-radius: 6px; padding: 3px 8px; min-block-size: 28px; }
      input[type='url']:focus-visible { outline: 2px solid var(--_accent); outline-offset: 1px; }
      input[type='file'] { display: none; }
      .card { margin-block: 4px 8px; display: flex; flex-wrap: wrap; gap: 2px 10px; align-items: center; }
      .card .grow { flex: 1; }
      .card button, .offer button { min-block-size: 24px; padding-block: 1px; }
      .offer { border: 1px solid var(--_line); border-radius: 8px; background: var(--_raised); padding: 8px 10px; margin-block: 6px; }
      .offer b { display: block; }
      .notice { margin-block: 4px; padding: 5px 8px; border-radius: 6px; background: light-dark(#fff6dd, #3a3115); color: light-dark(#5c4300, #ffe29a); }
      .buttons { display: flex; flex-wrap: wrap; gap: 6px; margin-block-start: 6px; }
      .buttons button { flex: 1; white-space: nowrap; }
      a { color: var(--_accent); border-radius: 3px; }
      a:focus-visible { outline: 2px solid var(--_accent); outline-offset: 1px; }
      summary { cursor: pointer; color: var(--_quiet); border-radius: 4px; }
      details > * + * { margin-block-start: 6px; }
      p { margin-block: 4px; overflow-wrap: anywhere; }
      progress { inline-size: 100%; block-size: 8px; }
      [role='alert'] { color: light-dark(#a3122a, #ff9aa8); }
    `,
  ];

  /** Id of the chosen model; absent means the default one. The id of a model that is not yet downloaded is its address. */
  @property() accessor value: string | undefined;
  /** Addresses of models offered for download (of an rdf.yaml, a folder or a zip), separated by spaces. */
  @property() accessor offers = '';
  /** Nothing can be chosen. */
  @property({ type: Boolean, reflect: true }) accessor disabled = false;

  @state() private accessor entries: ModelEntry[] = [];
  @state() private accessor remote: ModelEntry[] = [];
  @state() private accessor looked: { entry: ModelEntry; input: ModelInput } | undefined;
  @state() private accessor task: Task | undefined;
  @state() private accessor message = '';
  @state() private accessor confirming = false;

  #library: ModelLibrary | undefined;
  #disposal: ReturnType<typeof setTimeout> | undefined;
  #started: Promise<void> | undefined;

  /** The chosen model, once the list is known. */
  get chosen(): ModelEntry | undefined {
    const all = [...this.entries, ...this.remote];
    return this.value === undefined
      ? all.find(({ isDefault }) => isDefault)
      : all.find(({ id }) => id === this.value);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    clearTimeout(this.#disposal);
    if (this.hasUpdated) this.#start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    // A moved element is connected again at once and goes on with its download.
    this.#disposal = setTimeout(() => {
      this.task?.controller.abort();
      this.#library?.dispose();
      this.#library = undefined;
      this.#started = undefined;
    }, 0);
  }

  protected override firstUpdated(): void {
    // The picture comes first.
    const idle = globalThis.requestIdleCallback ?? ((start: () => void) => setTimeout(start, 200));
    idle(() => this.#start(), { timeout: 1000 });
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('offers') && this.#started) void this.#readOffers();
    if (changed.has('value')) this.confirming = false;
    if (changed.has('entries') || changed.has('remote')) this.dispatchEvent(new Event('models'));
  }

  /** Resolves when the list of models is known. */
  async ready(): Promise<void> {
    await this.updateComplete;
    await this.#start();
  }

  /**
   * Adds a model to this browser and chooses it.
   * @throws CytoError as `ModelLibrary.add`; the message is also shown, and announced by an `error` event
   */
  async add(input: ModelInput, options: { signal?: AbortSignal } = {}): Promise<ModelEntry> {
    return this.#add(input, 'api', options.signal);
  }

  #start(): Promise<void> {
    if (!this.#library) {
      this.#library = new ModelLibrary();
      this.#library.onChange(() => void this.#list());
    }
    this.#started ??= Promise.all([this.#list(), this.#readOffers()]).then(() => undefined);
    return this.#started;
  }

  async #list(): Promise<void> {
    try {
      this.entries = (await this.#library?.list()) ?? this.entries;
    } catch (error) {
      this.#fail(error);
    }
  }

  async #readOffers(): Promise<void> {
    const found: ModelEntry[] = [];
    for (const address of this.offers.split(/\s+/).filter(Boolean)) {
      try {
        const entry = await this.#library?.inspect(address);
        if (entry) found.push(entry);
      } catch (error) {
        this.#fail(error);
      }
    }
    this.remote = found;
  }

  /** Runs one task at a time; its failure is shown. */
  async #work<T>(
    kind: Task['kind'],
    name: string,
    run: (library: ModelLibrary, task: Task) => Promise<T>,
  ): Promise<T> {
    await this.#start();
    this.task?.controller.abort();
    const task: Task = { kind, name, controller: new AbortController() };
    this.task = task;
    this.message = '';
    try {
      return await run(this.#library as ModelLibrary, task);
    } catch (error) {
      if (this.task === task) this.#fail(error);
      throw error;
    } finally {
      if (this.task === task) this.task = undefined;
    }
  }

  async #add(input: ModelInput, source: 'user' | 'api', signal?: AbortSignal): Promise<ModelEntry> {
    const name = this.looked?.input === input ? this.looked.entry.name : this.#nameOf(input);
    const entry = await this.#work('add', name, (library, task) =>
      library.add(input, {
        signal: signal ? AbortSignal.any([signal, task.controller.signal]) : task.controller.signal,
        onProgress: (progress) => {
          if (this.task !== task) return;
          task.progress = progress;
          this.requestUpdate();
          this.#emit('progress', progress);
        },
      }),
    );
    await this.#list();
    this.looked = undefined;
    this.renderRoot.querySelector('details')?.removeAttribute('open');
    this.#choose(entry.id, source);
    await this.updateComplete;
    // The button that was pressed is gone.
    if (source === 'user') this.#focus('select');
    return entry;
  }

  #nameOf(input: ModelInput): string {
    const known = typeof input === 'string' && this.remote.find(({ id }) => id === input);
    return known ? known.name : '';
  }

  #choose(id: string, source: 'user' | 'api'): void {
    this.value = id;
    this.message = '';
    this.#emit('change', { id, source });
  }

  #fail(error: unknown): void {
    if (isAbort(error)) {
      this.message = textsFor(this).models.stopped;
      return;
    }
    const { kind, message } = asCytoError(error);
    this.message = message;
    this.#emit('error', { kind, message });
  }

  #emit(type: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  /** Starts a task of a control; its outcome is shown. */
  #do(work: Promise<unknown>): void {
    work.catch((error: unknown) => console.debug('cytopane:', error));
  }

  /** Looks a model up, so that licence and size are seen before it is added. */
  async #look(input: ModelInput): Promise<void> {
    this.looked = undefined;
    await this.#work('look', '', async (library, task) => {
      const entry = await library.inspect(input, { signal: task.controller.signal });
      this.looked = { entry, input };
    });
    await this.updateComplete;
    this.#focus('.offer button');
  }

  async #forget(entry: ModelEntry): Promise<void> {
    this.confirming = false;
    await this.#work('forget', entry.name, async (library) => {
      await library.forget(entry.id);
      await this.#list();
    });
    const fallback = this.entries.find(({ isDefault }) => isDefault);
    if (this.value === entry.id && fallback) this.#choose(fallback.id, 'user');
    await this.updateComplete;
    this.#focus('select');
  }

  /** Asks before forgetting, or takes the question back; the focus stays where the buttons are. */
  async #ask(confirming: boolean): Promise<void> {
    this.confirming = confirming;
    await this.updateComplete;
    this.#focus('.card button:last-of-type');
  }

  #focus(selector: string): void {
    this.renderRoot.querySelector<HTMLElement>(selector)?.focus();
  }

  protected override render() {
    const texts = textsFor(this).models;
    const { chosen, task } = this;
    const all = [
      ...this.entries,
      ...this.remote.filter(({ origin }) => !this.entries.some((e) => e.origin === origin)),
    ];
    const unknown = chosen === undefined;
    return html`
      <div class="row">
        <label for="model">${texts.model}</label>
        <select id="model" ?disabled=${this.disabled || task !== undefined} @change=${(event: Event) =>
          this.#choose((event.target as HTMLSelectElement).value, 'user')}>
          ${unknown ? html`<option value="" selected disabled>${this.value ?? texts.loading}</option>` : nothing}
          ${all.map(
            (entry) => html`<option value=${entry.id} .selected=${entry.id === chosen?.id}>
              ${entry.state === 'built-in' ? entry.name : `${entry.name} · ${texts.states[entry.state]}`}</option>`,
          )}
        </select>
      </div>
      ${chosen ? this.#card(chosen) : nothing}
      <details>
        <summary>${texts.add}</summary>
        ${this.looked ? this.#offer(this.looked.entry, this.looked.input) : this.#sources()}
      </details>
      <div aria-live="polite">${task ? this.#running(task) : nothing}</div>
      ${this.message ? html`<p role="alert">${this.message}</p>` : nothing}`;
  }

  /** Licence, size, state and notice. */
  #facts(entry: ModelEntry) {
    const texts = textsFor(this).models;
    const { license, size, state } = entry;
    const licence =
      license === ''
        ? texts.noLicence
        : SPDX.test(license)
          ? html`<a href="https://spdx.org/licenses/${license}.html" target="_blank" rel="noopener">${license}</a>`
          : license;
    return html`<span>${licence}</span>
      <span class="quiet-text">${size === undefined ? texts.unknownSize : texts.size(size)}</span>
      <span class="quiet-text">${texts.states[state]}</span>`;
  }

  #notice(entry: ModelEntry) {
    return entry.notice ? html`<p class="notice" part="notice">${entry.notice}</p>` : nothing;
  }

  #card(entry: ModelEntry) {
    const texts = textsFor(this).models;
    const idle = !this.disabled && this.task === undefined;
    return html`<div class="card" part="card" title=${entry.description}>${this.#facts(entry)}<span class="grow"></span>
        ${
          entry.state === 'remote'
            ? html`<button class="primary" ?disabled=${!idle} @click=${() => this.#do(this.#add(entry.id, 'user'))}>${texts.download(entry.size)}</button>`
            : nothing
        }
        ${
          entry.state === 'stored' && !this.confirming
            ? html`<button ?disabled=${!idle} @click=${() => this.#ask(true)}>${texts.forget}</button>`
            : nothing
        }
        ${
          entry.state === 'stored' && this.confirming
            ? html`<span class="buttons">
                <button @click=${() => this.#do(this.#forget(entry))}>${texts.forgetReally}</button>
                <button @click=${() => this.#ask(false)}>${texts.keep}</button></span>`
            : nothing
        }
      </div>
      ${this.#notice(entry)}`;
  }

  /** A model that was looked up; nothing is copied before the button is pressed. */
  #offer(entry: ModelEntry, input: ModelInput) {
    const texts = textsFor(this).models;
    const local = typeof input !== 'string' && !(input instanceof URL);
    return html`<div class="offer" part="offer" role="group" aria-label=${entry.name}>
      <b>${entry.name} ${entry.version}</b>
      <p class="quiet-text">${entry.description}</p>
      <div class="card">${this.#facts({ ...entry, state: local ? 'stored' : 'remote' })}</div>
      ${this.#notice(entry)}
      <div class="buttons">
        <button class="primary" ?disabled=${this.task !== undefined} @click=${() => this.#do(this.#add(input, 'user'))}>
          ${local ? texts.keepHere : texts.download(entry.size)}</button>
        <button ?disabled=${this.task !== undefined} @click=${() => {
          this.looked = undefined;
        }}>${texts.discard}</button>
      </div>
    </div>`;
  }

  #sources() {
    const texts = textsFor(this).models;
    const busy = this.disabled || this.task !== undefined;
    const pick = (id: string) => this.renderRoot.querySelector<HTMLInputElement>(id)?.click();
    return html`
      <div class="buttons">
        <button ?disabled=${busy} @click=${() => pick('#files')}>${texts.fromFiles}</button>
        <button ?disabled=${busy} @click=${() => pick('#folder')}>${texts.fromFolder}</button>
      </div>
      <form @submit=${this.#onAddress}>
        <label for="address">${texts.fromAddress}</label>
        <input id="address" name="address" type="url" required placeholder="https://…/rdf.yaml" ?disabled=${busy} />
        <div class="buttons"><button ?disabled=${busy}>${texts.look}</button></div>
      </form>
      <input id="files" type="file" multiple tabindex="-1" aria-hidden="true" @change=${this.#onFiles} />
      <input id="folder" type="file" webkitdirectory tabindex="-1" aria-hidden="true" @change=${this.#onFiles} />`;
  }

  #running({ kind, name, progress }: Task) {
    const texts = textsFor(this).models;
    const label = texts.tasks[kind](name);
    const share =
      progress && progress.total > 0
        ? html`<progress max=${progress.total} .value=${progress.value} aria-label=${label}></progress>
            <span class="quiet-text">${label} ${texts.size(progress.value)} / ${texts.size(progress.total)}</span>`
        : html`<progress aria-label=${label}></progress><span class="quiet-text">${label}</span>`;
    return html`${share}<div class="buttons"><button @click=${() => this.task?.controller.abort()}>${texts.stop}</button></div>`;
  }

  #onAddress = (event: SubmitEvent): void => {
    event.preventDefault();
    const address = new FormData(event.target as HTMLFormElement).get('address');
    if (typeof address === 'string') this.#do(this.#look(address.trim()));
  };

  #onFiles = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    const files = [...(input.files ?? [])];
    input.value = '';
    if (files.length > 0) this.#do(this.#look(files));
  };
}

declare global {
  interface HTMLElementTagNameMap {
    'cyto-model-chooser': CytoModelChooser;
  }
}
