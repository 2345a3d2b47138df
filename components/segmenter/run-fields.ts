import { html, nothing } from 'lit';
import { SEGMENTATION_MODES, type SegmentationMode } from '../../core/segmentation-parameters.ts';
import { statedAnisotropy, type Volume } from '../../core/volume.ts';
import { type VoxelBox, withAxis } from '../../core/voxel-box.ts';
import type { BackendChoice } from '../../workers/segmentation/client.ts';
import type { Texts } from '../localization/en.ts';
import type { RunCost } from './run-speed.ts';
import { inBlocks, middleBox, modeFor, type RunSettings } from './settings.ts';

/** What the fields show and steer besides the settings. */
export interface RunForm {
  settings: RunSettings;
  image: Volume;
  texts: Texts;
  /** z step over xy step of the last run on this image in full 3D. */
  anisotropyUsed: number | undefined;
  /** What a run takes, for each mode. */
  cost: (mode: SegmentationMode) => RunCost;
  /** Times a tile, so that costs tell times; absent while something runs. */
  timeTile: (() => void) | undefined;
  /** Whether the ring is shown on the image. */
  ring: boolean;
  toggleRing: () => void;
  /** Whether the next drag on the image draws the box. */
  drawing: boolean;
  toggleDrawing: () => void;
}

/** What a run needs to know, asked from the user; answers go into the settings. */
export function runFields(form: RunForm) {
  const { settings, image, texts } = form;
  const mode = modeFor(settings, image);
  const several = image.shape[1] > 1 && !image.rgb;
  return html`<div class="fields">
    ${image.shape[2] > 1 ? modeField(form, mode) : nothing}
    ${several ? channelField(settings, image, texts) : nothing}
    ${diameterField(form)}
    ${mode === '3d' ? anisotropyField(form) : nothing}
    ${regionFields(form, mode)}
    ${image.shape[0] > 1 ? timeFields(settings, image, texts) : nothing}
    </div>
    <details><summary>${texts.moreOptions}</summary>
      <div class="fields">${mode === '3d' ? viewsField(settings, texts) : nothing}${backendField(settings, texts)}</div>
    </details>
    ${costLine(form, form.cost(mode))}`;
}

function modeField({ settings, texts, cost }: RunForm, mode: SegmentationMode) {
  const name = (value: SegmentationMode) => {
    const { seconds } = cost(value);
    // The time of the chosen one is in the line of costs.
    const time = value === mode || seconds === undefined ? '' : ` (${texts.seconds(seconds)})`;
    return texts.modes[value] + time;
  };
  return html`<div class="wide"><label for="mode">${texts.mode}</label>
    <select id="mode" @change=${(event: Event) => {
      settings.mode = textOf(event) as SegmentationMode;
    }}>
      ${SEGMENTATION_MODES.map((value) => html`<option value=${value} ?selected=${value === mode}>${name(value)}</option>`)}
    </select></div>`;
}

function channelField(settings: RunSettings, image: Volume, texts: Texts) {
  return html`<label for="channel">${texts.channel}</label>
    <select id="channel" @change=${(event: Event) => {
      const chosen = textOf(event);
      settings.channel = chosen === '' ? undefined : Number(chosen);
    }}>
      <option value="" ?selected=${settings.channel === undefined}>${texts.allChannels}</option>
      ${image.channels.map(({ name }, c) => html`<option value=${c} ?selected=${c === settings.channel}>${name}</option>`)}
    </select>`;
}

/** In pixels, and in the unit of the image where it has one; with the switch of the ring. */
function diameterField({ settings, image, texts, ring, toggleRing }: RunForm) {
  const { spacing, unit, calibrated } = image.calibration;
  const size = Math.sqrt(spacing[1] * spacing[2]);
  const shown = (value: number) => String(Number(value.toPrecision(3)));
  return html`<label for="diameter">${texts.diameter}</label>
    <span class="with-unit"><input id="diameter" type="number" min="4" step="any" placeholder=${texts.automatic}
      .value=${settings.diameter ? shown(settings.diameter) : ''}
      @change=${(event: Event) => {
        settings.diameter = Number(textOf(event)) || undefined;
      }} />${texts.pixels}
      <button class="ring" aria-pressed=${ring} aria-label=${texts.ring} title=${texts.ring} @click=${toggleRing}>◯</button></span>
    ${
      calibrated && unit !== 'px'
        ? html`<span></span><span class="with-unit"><input id="diameter-length" type="number" min="0" step="any" aria-label=${texts.diameterIn(unit)}
          placeholder=${texts.automatic} .value=${settings.diameter ? shown(settings.diameter * size) : ''}
          @change=${(event: Event) => {
            settings.diameter = Number(textOf(event)) / size || undefined;
          }} />${unit}</span>`
        : nothing
    }`;
}

/** Of the file; where that does not tell, empty until a run has used one. */
function anisotropyField({ settings, image, texts, anisotropyUsed }: RunForm) {
  const stated = statedAnisotropy(image)?.toFixed(2);
  const proposed = stated ?? (settings.combineViews === 'sum' ? '1.00' : anisotropyUsed?.toFixed(2));
  return html`<label for="anisotropy">${texts.anisotropy}</label>
    <input id="anisotropy" type="number" min="0.1" step="any" placeholder=${proposed ?? texts.automatic}
      title=${stated === undefined ? texts.anisotropyUnknown : texts.fromMetadata(stated)}
      .value=${settings.anisotropy?.toFixed(2) ?? stated ?? ''}
      @change=${(event: Event) => {
        settings.anisotropy = Number(textOf(event)) || undefined;
      }} />`;
}

function regionFields(form: RunForm, mode: SegmentationMode) {
  const { settings, image, texts, drawing, toggleDrawing } = form;
  const { box } = settings;
  const axes = mode === '2d' ? ([2, 1] as const) : ([2, 1, 0] as const);
  return html`<label for="region">${texts.region}</label>
    <select id="region" @change=${(event: Event) => {
      settings.box = textOf(event) === 'box' ? middleBox(image) : undefined;
      if (drawing && !settings.box) toggleDrawing();
    }}>
      <option value="all" ?selected=${!box}>${texts.regions.all}</option>
      <option value="box" ?selected=${box !== undefined}>${texts.regions.box}</option>
    </select>
    ${
      box
        ? html`<span></span><button id="draw-box" aria-pressed=${drawing} @click=${toggleDrawing}>${drawing ? texts.drawingBox : texts.drawBox}</button>
          ${axes.map((axis) => boxRow(settings, box, axis, image.shape[axis + 2], texts))}`
        : nothing
    }`;
}

/** Linking is on as stitching is: by an overlap of a quarter. */
const LINK_THRESHOLD = 0.25;

function timeFields(settings: RunSettings, image: Volume, texts: Texts) {
  const { allTimes, linkThreshold } = settings;
  return html`<label for="times">${texts.timePoints}</label>
    <select id="times" @change=${(event: Event) => {
      settings.allTimes = textOf(event) === 'all';
    }}>
      <option value="one" ?selected=${!allTimes}>${texts.oneTimePoint}</option>
      <option value="all" ?selected=${allTimes}>${texts.allTimePoints(image.shape[0])}</option>
    </select>
    ${
      allTimes
        ? html`<span></span><label class="check"><input id="link" type="checkbox" .checked=${linkThreshold > 0}
            @change=${(event: Event) => {
              settings.linkThreshold = (event.target as HTMLInputElement).checked ? LINK_THRESHOLD : 0;
            }} /> ${texts.linkTimes}</label>`
        : nothing
    }`;
}

/** First and last voxel of a box along an axis, counted from 1. */
function boxRow(settings: RunSettings, box: VoxelBox, axis: 0 | 1 | 2, length: number, texts: Texts) {
  const name = 'zyx'[axis];
  const set = (end: 'from' | 'to', value: number) => {
    const wanted = Math.min(length, Math.max(1, Math.round(value) || 1));
    const from = end === 'from' ? wanted - 1 : Math.min(box.from[axis], wanted - 1);
    const to = end === 'to' ? wanted : Math.max(box.to[axis], wanted);
    settings.box = { from: withAxis(box.from, axis, from), to: withAxis(box.to, axis, to) };
  };
  const field = (end: 'from' | 'to') =>
    html`<input type="number" min="1" max=${length} step="1" aria-label=${end === 'from' ? texts.boxFrom(name) : texts.boxTo(name)}
      .value=${String(box[end][axis] + (end === 'from' ? 1 : 0))} @change=${(event: Event) => set(end, Number(textOf(event)))} />`;
  return html`<span>${name}</span><span class="with-unit bounds">${field('from')}–${field('to')}</span>`;
}

function viewsField(settings: RunSettings, texts: Texts) {
  return html`<label for="views">${texts.combineViews}</label>
    <select id="views" @change=${(event: Event) => {
      settings.combineViews = textOf(event) as RunSettings['combineViews'];
    }}>
      ${(['mean', 'sum'] as const).map((value) => html`<option value=${value} ?selected=${value === settings.combineViews}>${texts.combinations[value]}</option>`)}
    </select>`;
}

function backendField(settings: RunSettings, texts: Texts) {
  const choices = ['auto', 'webgpu', 'wasm', ...(settings.server ? (['remote'] as const) : [])] as const;
  return html`<label for="backend">${texts.backend}</label>
    <select id="backend" @change=${(event: Event) => {
      settings.backend = textOf(event) as BackendChoice;
    }}>
      ${choices.map((value) => html`<option value=${value} ?selected=${value === settings.backend}>${texts.backends[value]}</option>`)}
    </select>`;
}

function costLine({ settings, image, texts, timeTile }: RunForm, { tiles, bytes, fits, seconds }: RunCost) {
  const time = seconds === undefined ? undefined : texts.seconds(seconds);
  const ask =
    time === undefined
      ? html` <button part="time-tile" ?disabled=${!timeTile} @click=${timeTile}>${texts.timeTile}</button>`
      : nothing;
  return html`<p class="quiet-text cost" part="cost">${texts.cost(tiles, texts.memory(bytes), time)}${ask}</p>
    ${fits ? nothing : inBlocks(settings, image) ? html`<p class="quiet-text" part="blocks">${texts.inBlocks}</p>` : html`<p role="alert">${texts.doesNotFit}</p>`}`;
}

const textOf = (event: Event) => (event.target as HTMLInputElement | HTMLSelectElement).value;
