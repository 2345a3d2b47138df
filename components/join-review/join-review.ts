import { css, html, nothing, type PropertyValues } from 'lit';
import { property, queryAll, state } from 'lit/decorators.js';
import type { DoubtfulJoins, JoinState } from '../../core/edit/doubtful-joins.ts';
import { LabelHistory } from '../../core/edit/label-history.ts';
import { splitAtPlane } from '../../core/edit/split-at-plane.ts';
import { LabelTints } from '../../core/label-tints.ts';
import type { LabelsLayer } from '../../core/layer.ts';
import type { PlaneJoin } from '../../core/segmentation-parameters.ts';
import { ViewerPart } from '../controls/viewer-part.ts';
import { controlStyles } from '../styles.ts';
import { isAction, keysOf, keyText } from '../viewer/shortcuts.ts';
import type { CytoViewer } from '../viewer/viewer.ts';
import { drawOutline, drawWindow, windowAround } from './join-picture.ts';

/** Joins listed at a time. */
const LISTED = 50;
/** Pixels of a picture's side. */
const SIDE = 240;

/**
 * The joins between planes that a stitched run is least sure of, worst first; part of `<cyto-segmenter>`. The view goes
 * to the join chosen, whose two planes are shown side by side.
 *
 * Keys, here and in a focused pane of the viewer: J next, Enter accepts, S splits. Here as well: arrows, Home, End,
 * Ctrl+Z.
 *
 * @tag cyto-join-review
 * @fires cyto-join - A join was accepted or split; `detail.state`, `detail.upper`, `detail.lower`, `detail.y`, `detail.x`.
 * @csspart list - The joins.
 * @csspart planes - Pictures of the two planes.
 */
export class CytoJoinReview extends ViewerPart {
  static override styles = [
    controlStyles,
    css`
      h3 { font-size: inherit; margin-block: 12px 4px; display: flex; flex-wrap: wrap; gap: 0 6px; align-items: baseline; }
      h3 span { font-weight: 400; }
      [role='listbox'] { max-block-size: 112px; overflow: auto; border: 1px solid var(--_line); border-radius: 6px; font-variant-numeric: tabular-nums; }
      [role='listbox']:focus-visible { outline: 2px solid var(--_accent); outline-offset: 1px; }
      [role='option'] { display: flex; gap: 6px; align-items: center; padding: 2px 8px; cursor: pointer; }
      [role='option'] i { inline-size: 10px; block-size: 10px; border-radius: 3px; flex: none; }
      [role='option'] .state { margin-inline-start: auto; color: var(--_quiet); }
      [role='option'][aria-selected='true'] { background: var(--_accent); color: var(--_on-accent); }
      [role='option'][aria-selected='true'] .state { color: inherit; }
      .planes { display: grid; grid-template-columns: 1fr 1fr; gap: 6px; margin-block: 6px; }
      .planes button { padding: 2px; display: grid; gap: 2px; min-inline-size: 0; }
      canvas { inline-size: 100%; aspect-ratio: 1; border-radius: 4px; background: #000; }
      .actions { display: flex; gap: 4px; }
      .actions button { flex: 1; padding-inline: 2px; white-space: nowrap; }
      kbd { font: inherit; font-size: 11px; opacity: 0.75; border: 1px solid currentColor; border-radius: 4px; padding: 0 3px; }
      p { margin-block: 6px; }
    `,
  ];

  /** What is reviewed. */
  @property({ attribute: false }) accessor joins: DoubtfulJoins | undefined;

  @state() private accessor position = -1;

  @queryAll('canvas') private accessor pictures!: NodeListOf<HTMLCanvasElement>;
  #following: AbortController | undefined;

  /** The join under review. */
  get current(): PlaneJoin | undefined {
    return this.joins?.at(this.position);
  }

  /** Goes to the next join that nobody has looked at. @returns whether there is one */
  next(): boolean {
    const next = this.joins?.nextAfter(this.position) ?? -1;
    this.#go(next);
    return next >= 0;
  }

  /** Keeps the join under review and goes on; an accepted one is open again. */
  accept(): void {
    const { joins, current } = this;
    if (!joins || !current) return;
    const state = joins.stateOf(current);
    if (state !== 'open' && state !== 'accepted') return;
    joins.accept(current, state === 'open');
    this.#announce(current);
    if (state === 'open' && joins.nextAfter(this.position) >= 0) this.next();
    this.requestUpdate();
  }

  /** Gives the cell a new label from the lower plane of the join on, as one step that can be undone, and goes on. */
  split(): void {
    const { joins, current } = this;
    if (!joins || !current) return;
    const [label, below] = joins.labelsOf(current);
    if (label === 0 || label !== below || !this.#layer?.editable || this.viewer?.readonly) return;
    const history = LabelHistory.of(joins.labels);
    history.openEdit?.commit();
    const { index } = history;
    history.run(this.texts.joins.splitName, (edit) =>
      splitAtPlane(edit, index, { label, z: current.lower, to: index.free }),
    );
    this.#announce(current);
    if (joins.nextAfter(this.position) >= 0) this.next();
    this.requestUpdate();
  }

  get #layer(): LabelsLayer | undefined {
    return this.model?.labels.find(({ labels }) => labels === this.joins?.labels);
  }

  #announce(join: PlaneJoin): void {
    const { upper, lower, y, x } = join;
    const detail = { state: this.joins?.stateOf(join), upper, lower, y, x };
    this.dispatchEvent(new CustomEvent('cyto-join', { detail, bubbles: true, composed: true }));
  }

  #go(position: number): void {
    this.position = position;
    const { joins, current, viewer } = this;
    if (!joins || !current || !viewer) return;
    const [label, below] = joins.labelsOf(current);
    const window = windowAround(joins.labels, [
      { z: current.upper, label },
      { z: current.lower, label: below },
    ]);
    const layer = this.#layer;
    if (layer) viewer.model.update(layer.id, { selected: label }, 'user');
    if (!window) return;
    const { y0, x0, y1, x1 } = window;
    void viewer.reveal([current.upper, y0, x0, current.lower + 1, y1, x1], { source: 'user' });
    void this.updateComplete.then(() => {
      this.scrollIntoView({ block: 'nearest' });
      this.renderRoot.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
    });
  }

  // —— Keys ——

  protected override viewerChanged(viewer: CytoViewer, release: Array<() => void>): void {
    const onKey = (event: KeyboardEvent) => {
      const { joins } = this;
      if (
        !joins ||
        event.defaultPrevented ||
        !viewer.model.labels.some(({ labels }) => labels === joins.labels)
      )
        return;
      // Where a tool or a preview is in use, Enter and S are theirs.
      const busy = viewer.tool !== 'pan' || LabelHistory.of(joins.labels).openEdit !== undefined;
      if (this.#act(event, busy ? ['next'] : ['next', 'accept', 'split'])) event.stopPropagation();
    };
    viewer.addEventListener('keydown', onKey, { capture: true });
    release.push(() => viewer.removeEventListener('keydown', onKey, { capture: true }));
  }

  /** Does what a key asks for; true if it was one of these actions. */
  #act(event: KeyboardEvent, allowed: ReadonlyArray<'next' | 'accept' | 'split'>): boolean {
    const action = allowed.find((name) => isAction(event, `review.${name}`, this.viewer?.shortcuts));
    if (!action || !this.joins?.length || (action !== 'next' && !this.current)) return false;
    event.preventDefault();
    this[action]();
    return true;
  }

  #onKey = (event: KeyboardEvent): void => {
    const onList = (event.target as Element).matches('[role=listbox]');
    // Enter on a button presses it.
    if (this.#act(event, onList ? ['next', 'accept', 'split'] : ['next', 'split'])) return;
    const undo = isAction(event, 'edit.undo', this.viewer?.shortcuts);
    if (undo || isAction(event, 'edit.redo', this.viewer?.shortcuts)) {
      event.preventDefault();
      void (undo ? this.viewer?.undo() : this.viewer?.redo());
      return;
    }
    const last = (this.joins?.length ?? 0) - 1;
    const moves: Record<string, number> = {
      ArrowDown: Math.min(last, this.position + 1),
      ArrowUp: Math.max(0, this.position - 1),
      Home: 0,
      End: last,
    };
    if (!onList || !(event.key in moves)) return;
    event.preventDefault();
    this.#go(moves[event.key]);
  };

  // —— Rendering ——

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#following?.abort();
    this.#following = undefined;
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (changed.has('joins')) {
      const before = changed.get('joins') as DoubtfulJoins | undefined;
      if (before?.labels !== this.joins?.labels || !this.current) this.position = -1;
    }
    if (changed.has('joins') || !this.#following) {
      this.#following?.abort();
      this.#following = new AbortController();
      const { signal } = this.#following;
      this.joins?.labels.addEventListener('change', () => this.requestUpdate(), { signal });
    }
  }

  protected override render() {
    const { joins, texts } = this;
    if (!joins) return nothing;
    const title = html`<h3>${texts.joins.title} <span class="quiet-text" role="status">${
      joins.length === 0 ? nothing : texts.joins.left(joins.open, joins.length)
    }</span></h3>`;
    if (joins.length === 0) return html`${title}<p class="quiet-text">${texts.joins.none}</p>`;
    const { current } = this;
    const first = Math.floor(Math.max(0, this.position) / LISTED) * LISTED;
    const rows = Array.from({ length: Math.min(LISTED, joins.length - first) }, (_, k) => first + k);
    const key = (action: 'next' | 'accept' | 'split') =>
      keyText(keysOf(`review.${action}`, this.viewer?.shortcuts)[0] ?? '', texts.keyNames);
    const state = current && joins.stateOf(current);
    return html`<div @keydown=${this.#onKey}>${title}
      <div role="listbox" part="list" tabindex="0" aria-label=${texts.joins.title}
        aria-activedescendant=${this.position < 0 ? nothing : `join-${this.position}`}>${rows.map((row) => this.#row(joins, row))}</div>
      ${current ? this.#planes(current) : nothing}
      <div class="actions" style="margin-block-start: 6px">
        <button data-action="accept" ?disabled=${state !== 'open' && state !== 'accepted'} @click=${() => this.accept()}>${state === 'accepted' ? texts.joins.reopen : texts.joins.accept} <kbd>${key('accept')}</kbd></button>
        <button data-action="split" ?disabled=${state !== 'open' && state !== 'accepted'} @click=${() => this.split()}>${texts.joins.split} <kbd>${key('split')}</kbd></button>
        <button data-action="next" ?disabled=${joins.open === 0} @click=${() => this.next()}>${texts.joins.next} <kbd>${key('next')}</kbd></button>
      </div></div>`;
  }

  #row(joins: DoubtfulJoins, row: number) {
    const join = joins.at(row) as PlaneJoin;
    const { texts } = this;
    const [label] = joins.labelsOf(join);
    const state: JoinState = joins.stateOf(join);
    const layer = this.#layer;
    return html`<div role="option" id="join-${row}" aria-selected=${row === this.position} aria-setsize=${joins.length} aria-posinset=${row + 1}
      title=${texts.joins.explained(texts.number(join.iou, 2), texts.number(join.rival, 2))} @click=${() => this.#go(row)}>
      <i style="background: ${layer ? LabelTints.of(layer.labels, layer.seed).css(label) : 'none'}"></i>
      <span>${texts.joins.row(label, join.upper + 1, join.lower + 1)}</span>
      <span class="state">${state === 'open' ? `${Math.round(join.confidence * 100)} %` : texts.joins.states[state]}</span>
    </div>`;
  }

  #planes({ upper, lower }: PlaneJoin) {
    const picture = (z: number) =>
      html`<button title=${this.texts.joins.toPlane(z + 1)} @click=${() => this.model?.setCursor({ z }, 'user')}
        aria-pressed=${this.model?.cursor.z === z}><canvas width=${SIDE} height=${SIDE} role="img" aria-label=${this.texts.joins.pictureOf(z + 1)}></canvas><span>${this.texts.plane} ${z + 1}</span></button>`;
    return html`<div class="planes" part="planes">${picture(upper)}${picture(lower)}</div>`;
  }

  protected override updated(): void {
    const { joins, current, model } = this;
    if (!joins || !current || !model) return;
    const [above, below] = joins.labelsOf(current);
    const parts = [
      { z: current.upper, label: above },
      { z: current.lower, label: below },
    ];
    const window = windowAround(joins.labels, parts);
    const [, ny, nx] = joins.labels.shape;
    const image = model.images.findLast(
      ({ visible, volume }) => visible && volume.shape[3] === ny && volume.shape[4] === nx,
    );
    if (!window || !image) return;
    const tints = LabelTints.of(joins.labels, this.#layer?.seed ?? 0);
    this.pictures.forEach((canvas, k) => {
      drawWindow(canvas, image, { t: model.cursor.t, z: parts[k].z }, window);
      drawOutline(canvas, joins.labels, parts[1 - k], window, { color: '#fffb', width: 1.5, dash: [5, 5] });
      drawOutline(canvas, joins.labels, parts[k], window, {
        color: tints.css(parts[k].label),
        width: 4,
      });
    });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'cyto-join-review': CytoJoinReview;
  }
}
