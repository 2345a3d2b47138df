import { html, nothing, type TemplateResult } from 'lit';
import type { TrainedModel } from '../../workers/training/client.ts';
import type { Texts } from '../localization/en.ts';

/** What a user may do with a trained model. */
export interface OutcomeActions {
  keep(run: boolean): void;
  discard(): void;
  save(): void;
  /** Absent while there is no image to compare on. */
  compare?: () => void;
  checkpoint(original: File): void;
}

/** A converted transformer has its weights beside its graph; such a model leaves as a checkpoint as well. */
const hasCheckpoint = ({ files }: TrainedModel) => files.has('model.onnx.data');

/** How well the models before and after a training did, and what to do with the new one. */
export function outcomeView(
  outcome: TrainedModel,
  { trainer: texts, number }: Texts,
  { keep, discard, save, compare, checkpoint }: OutcomeActions,
): TemplateResult {
  const { before, after, improved, judgedOn, remembered } = outcome;
  const score = (name: string, value: number) => html`<span>${name}<b>${number(value, 2)}</b></span>`;
  const choose = (event: Event) => {
    const input = (event.target as HTMLElement).parentElement?.querySelector<HTMLInputElement>('#original');
    input?.click();
  };
  const chosen = (event: Event) => {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    input.value = '';
    if (file) checkpoint(file);
  };
  return html`<div part="outcome">
    <div class="scores">${score(texts.before, before.ap50)}<span aria-hidden="true">→</span>${score(texts.after, after.ap50)}</div>
    <p class="quiet-text">${texts.judged[judgedOn]}</p>
    ${improved && remembered !== undefined ? html`<p class="quiet-text">${texts.remembered(Math.floor(100 * remembered))}</p>` : nothing}
    ${improved ? nothing : html`<p>${texts.noBetter}</p>`}
    <div class="actions">
      <button class=${improved ? 'primary' : ''} part="keep-run" ?disabled=${!improved} @click=${() => keep(true)}>${texts.keepRun}</button>
      <button part="keep" ?disabled=${!improved} @click=${() => keep(false)}>${texts.keep}</button>
      <button part="compare" ?disabled=${!improved || !compare} @click=${compare}>${texts.compare}</button>
      <button part="discard" @click=${discard}>${texts.discard}</button>
      <button part="save" ?disabled=${!improved} @click=${save}>${texts.save}</button></div>
    ${
      hasCheckpoint(outcome)
        ? html`<p class="quiet-text">${texts.checkpointHint}</p>
          <button class="wide" part="save-checkpoint" ?disabled=${!improved} @click=${choose}>${texts.saveCheckpoint}</button>
          <input id="original" type="file" tabindex="-1" aria-hidden="true" @change=${chosen} />`
        : nothing
    }</div>`;
}
