import { css, html, nothing } from 'lit';
import type { Box } from '../../core/label-volume.ts';
import { ViewerPart } from '../controls/viewer-part.ts';
import { controlStyles } from '../styles.ts';

const AXES = ['z', 'y', 'x'] as const;

/**
 * The part of a stack that 3D views show: from and to along each axis. Hidden while no 3D view is shown.
 *
 * @tag cyto-crop
 * @csspart axis - The two sliders of one axis.
 */
export class CytoCrop extends ViewerPart {
  static override styles = [
    controlStyles,
    css`
      h2 { font-size: 12px; text-transform: uppercase; letter-spacing: 0.06em; color: var(--_quiet); margin-block: 0 8px; }
      [role='group'] { display: grid; grid-template-columns: 1em 1fr 1fr 5.5em; gap: 2px 8px; align-items: center; }
      output { font-variant-numeric: tabular-nums; color: var(--_quiet); text-align: end; }
      button { margin-block-start: 6px; }
    `,
  ];

  protected override updated(): void {
    this.toggleAttribute('hidden', this.renderRoot.childElementCount === 0);
  }

  protected override render() {
    const { model, texts } = this;
    const seen = model && ['3d', 'ortho', 'quad'].includes(model.layout);
    if (!model || !seen || model.dims.shape[0] < 2) return nothing;
    const { shape } = model.dims;
    const crop: Box = model.view.crop ?? [0, 0, 0, ...shape];
    const set = (k: number, value: number) => {
      const box = [...crop] as [number, number, number, number, number, number];
      box[k] = value;
      // The end that is not moved gives way.
      const axis = k % 3;
      if (box[axis] >= box[axis + 3]) box[k < 3 ? axis + 3 : axis] = k < 3 ? value + 1 : value - 1;
      model.setView({ crop: box }, 'user');
    };
    const slider = (k: number, label: string) => html`<input type="range" aria-label=${label}
      min=${k < 3 ? 0 : 1} max=${shape[k % 3] - (k < 3 ? 1 : 0)} .value=${String(crop[k])}
      @input=${(event: Event) => set(k, Number((event.target as HTMLInputElement).value))} />`;
    return html`<h2>${texts.crop}</h2>
      ${[2, 1, 0].map(
        (axis) => html`<div role="group" part="axis" aria-label=${`${texts.crop} ${AXES[axis]}`}>
          <span>${AXES[axis]}</span>
          ${slider(axis, texts.cropFrom(AXES[axis]))}${slider(axis + 3, texts.cropTo(AXES[axis]))}
          <output>${crop[axis] + 1} – ${crop[axis + 3]}</output></div>`,
      )}
      ${model.view.crop ? html`<button @click=${() => model.setView({ crop: undefined }, 'user')}>${texts.cropNone}</button>` : nothing}`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'cyto-crop': CytoCrop;
  }
}
