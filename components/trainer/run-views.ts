import { html, nothing, type TemplateResult } from 'lit';
import type { Progress } from '../../core/progress.ts';
import type { Texts } from '../localization/en.ts';

/** What a user may set before a training. */
export interface TrainerSettings {
  name: string;
  epochs: number;
  learningRate: number;
}

/** Settings, how long it takes at most and how much memory, and the button that begins. */
export function settingsView(
  settings: TrainerSettings & { seconds: number; bytes: number | undefined },
  texts: Texts,
  change: (changes: Partial<TrainerSettings>) => void,
  train: () => void,
): TemplateResult {
  const own = texts.trainer;
  const { name, seconds, bytes } = settings;
  const number = (id: 'epochs' | 'learningRate', min: number, step: number) =>
    html`<label for=${id}>${own[id]}</label><input id=${id} type="number" min=${min} step=${step} .value=${String(settings[id])}
      @change=${(event: Event) => {
        const value = Number((event.target as HTMLInputElement).value);
        if (value) change({ [id]: value });
      }} />`;
  return html`<div class="fields"><label for="name">${own.name}</label>
      <input id="name" type="text" .value=${name} placeholder=${own.defaultName(new Date())}
        @input=${(event: Event) => change({ name: (event.target as HTMLInputElement).value })} /></div>
    <details><summary>${texts.moreOptions}</summary><div class="fields">${number('epochs', 1, 1)}${number('learningRate', 0.00001, 0.00001)}</div></details>
    <div class="actions"><button class="primary" part="train" @click=${train}>${own.train}</button></div>
    <p class="quiet-text">${own.takes(texts.seconds(seconds))}${bytes ? html` ${own.needs(Math.ceil(bytes / 1e7) * 10)}` : nothing}</p>`;
}

/** How far a training is, and how it is paused and cancelled. */
export function progressView(
  progress: Progress,
  paused: boolean,
  texts: Texts,
  pause: () => void,
  cancel: () => void,
): TemplateResult {
  const training = progress.phase === 'train';
  const name = training ? texts.trainer.step : texts.waiting;
  const left = progress.secondsLeft;
  return html`<progress part="progress" max=${progress.total} .value=${training ? progress.value : nothing} aria-label=${name}></progress>
    <span class="quiet-text">${name} ${training ? `${progress.value} / ${progress.total}` : ''}${left === undefined || paused ? '' : ` · ${texts.left(texts.seconds(left))}`}</span>
    ${progress.training?.anew ? html`<p class="quiet-text">${texts.trainer.anew}</p>` : nothing}
    <div class="actions">
      <button part="pause" aria-pressed=${paused} @click=${pause}>${texts.pause}</button>
      <button part="cancel" @click=${cancel}>${texts.cancel}</button></div>`;
}
