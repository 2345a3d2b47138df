import { html, nothing, type PropertyValues } from 'lit';
import { property, state } from 'lit/decorators.js';
import type { HistoryStep } from '../../core/edit/label-history.ts';
import { asCytoError, isAbort } from '../../core/errors.ts';
import {
  DEFAULT_SETTINGS,
  estimateSeconds,
  type TrainedModel,
  type TrainingClient,
  type UnfinishedTraining,
} from '../../workers/training/client.ts';
import { ViewerPart } from '../controls/viewer-part.ts';
import { controlStyles } from '../styles.ts';
import { ComparisonDialog } from './comparison-dialog.ts';
import {
  type CollectOptions,
  type CorrectedImage,
  canCollect,
  collect,
  collectPlanes,
  isStack,
} from './corrected-image.ts';
import { CurveView } from './curve-view.ts';
import { imageList } from './image-list.ts';
import { outcomeView } from './outcome-view.ts';
import { progressView, settingsView } from './run-views.ts';
import { Suggestion } from './suggestion.ts';
import { trainerStyles } from './trainer-styles.ts';
import { saveAsCheckpoint, saveModel, saveTrainingSet } from './training-files.ts';
import { type RunTask, TrainingRun } from './training-run.ts';

/**
 * Trains a model on corrected images: collects them from the viewer, trains in a worker, shows how well the model did
 * before and does after, and keeps it among this browser's models if the user wants it.
 *
 * @tag cyto-trainer
 * @fires progress - `detail.phase`, `detail.value`, `detail.total`, `detail.secondsLeft`, `detail.training`.
 * @fires error - `detail.kind`, `detail.message`.
 * @fires cyto-trained - A training has ended; `detail.before`, `detail.after` (average precision at IoU 0.5 on what was held back), `detail.improved`.
 * @fires cyto-model - A new model was kept; `detail.id`, `detail.name`, `detail.run`: whether the image shall be segmented with it at once.
 * @fires cyto-save - Before the model's file is downloaded, cancelable; `detail.name`, `detail.blob`.
 * @csspart list - The corrected images.
 * @csspart train - The button that begins.
 * @csspart progress - The progress bar.
 * @csspart suggest - The button that goes to where the model was least sure.
 * @csspart outcome - How well the models did.
 * @csspart comparison - The dialog with the pictures of both models.
 */
export class CytoTrainer extends ViewerPart {
  static override styles = [controlStyles, trainerStyles];

  /** Id of the model to start from; by default the one that ships with the package. */
  @property({ attribute: 'base-model' }) accessor baseModel: string | undefined;
  /** Rounds over the images. */
  @property({ type: Number }) accessor epochs = DEFAULT_SETTINGS.epochs;
  /** Highest learning rate. */
  @property({ type: Number, attribute: 'learning-rate' }) accessor learningRate = DEFAULT_SETTINGS.rate;
  /** Index of the one channel that is learned from, counted from 0; absent takes the first three together. */
  @property({ type: Number }) accessor channel: number | undefined;
  /** Name of the new model. */
  @property({ attribute: 'model-name' }) accessor modelName = '';

  @state() private accessor images: readonly CorrectedImage[] = [];
  @state() private accessor message = '';
  @state() private accessor outcome: TrainedModel | undefined;
  @state() private accessor kept: { id: string; name: string } | undefined;

  /** The model that the last training started from. */
  #parent: string | undefined;
  readonly #training = new TrainingRun(this, (progress) => this.#emit('progress', progress));
  readonly #curve = new CurveView(this);
  readonly #comparison = new ComparisonDialog(this);
  readonly #suggestion = new Suggestion(this);

  /** The images to learn from. */
  get corrected(): readonly CorrectedImage[] {
    return this.images;
  }

  /** Whether a training is under way. */
  get busy(): boolean {
    return this.#training.busy;
  }

  /** Adds the shown plane with its labels; a plane of the same name is replaced. */
  addShown(): void {
    const image = this.model && collect(this.model, this.#collecting());
    this.#add(image ? [image] : undefined);
  }

  /** Adds planes of the shown stack in three orientations; all its cells must be labelled. */
  addPlanes(): void {
    this.#add(this.model && collectPlanes(this.model, this.#collecting()));
  }

  /** Adds the part of the shown plane that {@link showDoubtful} went to. */
  addRegion(): void {
    const { region } = this.#suggestion;
    const image = this.model && region && collect(this.model, { ...this.#collecting(), region });
    this.#add(image ? [image] : undefined);
  }

  /**
   * Goes to the region of the shown image whose cells the model was least sure of, or to the next such region.
   * @returns whether there is one: only labels that a model made have any
   */
  showDoubtful(): boolean {
    return this.#suggestion.next();
  }

  #collecting(): CollectOptions {
    const { names } = this.texts.editing;
    return {
      channel: this.channel,
      byModel: ({ name }: HistoryStep) => name === names.run || name === names.thresholds,
    };
  }

  #add(added: readonly CorrectedImage[] | undefined): void {
    this.message = added ? '' : this.texts.trainer.needLabels;
    const own = new Set(added?.map(({ name }) => name));
    if (added) this.images = [...this.images.filter(({ name }) => !own.has(name)), ...added];
  }

  /** Takes an image off the list. */
  removeImage(name: string): void {
    this.images = this.images.filter((image) => image.name !== name);
  }

  /**
   * Trains on the images of the list. The model waits for {@link keep} or {@link discard}.
   * @throws CytoError of any kind that training has; also announced by an `error` event
   */
  train(): Promise<TrainedModel> {
    const { epochs, learningRate: rate } = this;
    const name = this.modelName.trim() || this.texts.trainer.defaultName(new Date());
    return this.#run((client, task) =>
      client.train(
        this.images,
        { epochs, rate },
        { ...task, name, ...(this.baseModel ? { model: this.baseModel } : {}) },
      ),
    );
  }

  /** Goes on with the training that was interrupted. @throws CytoError as {@link train} */
  resume(): Promise<TrainedModel> {
    return this.#run((client, task) => client.resume(task));
  }

  /** Stops a training. What it has learned until the last point of its curve can be gone on with. */
  cancel(): void {
    this.#training.cancel();
  }

  /**
   * Adds the new model to those of this browser.
   * @param run whether the page is asked to segment its image with the model at once
   */
  async keep(run = false): Promise<void> {
    const { outcome } = this;
    if (!outcome) return;
    const { id, name } = await this.#training.client.accept(outcome);
    this.outcome = undefined;
    this.kept = { id, name };
    this.#emit('cyto-model', { id, name, run });
  }

  /**
   * Shows what the models before and after the training make of an image of the list, or of the shown plane.
   * @param name of an image of the list; absent: the last one
   * @throws CytoError as segmenting does
   */
  async compare(name?: string): Promise<void> {
    const { outcome } = this;
    const wanted =
      name === undefined ? this.images.at(-1) : this.#comparable().find((image) => image.name === name);
    if (!outcome || !wanted) return;
    const model = this.#parent ? { model: this.#parent } : {};
    await this.#comparison.show(wanted, (image, signal) =>
      this.#training.client.compare(image, outcome, { signal, ...model }),
    );
  }

  /** Forgets the new model. */
  discard(): void {
    this.outcome = undefined;
  }

  /** Saves the new model as a BioImage.IO package. */
  async save(): Promise<void> {
    if (this.outcome) await saveModel(this, this.outcome);
  }

  /**
   * Saves a trained Cellpose-SAM as a PyTorch checkpoint that Cellpose loads.
   * @param original the checkpoint that the model was converted from
   * @throws CytoError `unsupported` for other models, `model` for the checkpoint of another network, `corrupt-file`
   */
  async saveCheckpoint(original: File): Promise<void> {
    const { outcome } = this;
    if (!outcome) return;
    this.message = '';
    await saveAsCheckpoint(this, this.#training.client, outcome, original);
  }

  /** Saves the corrected images as one zip, in the layout of Cellpose, that {@link openSet} reads. */
  saveSet(): Promise<void> {
    return saveTrainingSet(this, this.images);
  }

  /** Adds the images of a saved training set. @throws CytoError `corrupt-file` */
  async openSet(file: Blob): Promise<void> {
    const { readTrainingSet } = await import('./training-set-file.ts');
    this.#add(await readTrainingSet(file));
  }

  #onSet = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    input.value = '';
    this.message = '';
    if (file) this.#try(this.openSet(file));
  };

  async #run(work: (client: TrainingClient, task: RunTask) => Promise<TrainedModel>): Promise<TrainedModel> {
    this.#parent = this.baseModel;
    this.message = '';
    this.kept = undefined;
    this.outcome = undefined;
    this.#curve.clear();
    try {
      const outcome = await this.#training.run(async (client, task) => {
        // It is there when the progress goes, so that the curve stays in the page.
        this.outcome = await work(client, task);
        return this.outcome;
      });
      const { before, after, improved } = outcome;
      this.#emit('cyto-trained', { before: before.ap50, after: after.ap50, improved });
      return outcome;
    } catch (cause) {
      const error = asCytoError(cause);
      // A training that another one has replaced says nothing.
      if (!this.busy && !isAbort(error)) {
        this.message = error.message;
        this.#emit('error', { kind: error.kind, message: error.message });
      }
      throw error;
    }
  }

  #emit(type: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  /** Shows what goes wrong with a button; trainings show and announce that themselves. */
  #try(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (!this.message && !isAbort(error)) this.message = asCytoError(error).message;
    });
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    if (changed.has('images') || changed.has('baseModel')) {
      const { images, epochs, baseModel: model } = this;
      this.#try(this.#training.estimate(images, { epochs, model }));
    }
    const curve = this.#training.progress?.training?.curve;
    const { loss, ap } = this.texts.trainer;
    if (curve && curve.length > 1) this.#try(this.#curve.draw(curve, { loss, ap }));
  }

  protected override render() {
    const texts = this.texts.trainer;
    const { progress, paused, unfinished } = this.#training;
    const waiting = this.busy || !(this.model && canCollect(this.model));
    return html`
      <p class="quiet-text">${texts.hint}</p>
      ${this.#suggestion.render(
        texts,
        waiting,
        () => this.addRegion(),
        () => {
          this.message = texts.noDoubts;
        },
      )}
      <button class="wide" part="add" ?disabled=${waiting} @click=${() => this.addShown()}>${texts.add}</button>
      ${this.model && isStack(this.model) ? html`<button class="wide" part="add-planes" ?disabled=${waiting} @click=${() => this.addPlanes()}>${texts.addPlanes}</button>` : nothing}
      ${this.images.length > 0 ? imageList(this.images, this.texts, this.busy, (name) => this.removeImage(name)) : nothing}
      <div class="actions sets">
        <button part="open-set" ?disabled=${this.busy} @click=${() => this.renderRoot.querySelector<HTMLInputElement>('#set')?.click()}>${texts.openSet}</button>
        ${this.images.length > 0 ? html`<button part="save-set" @click=${() => this.#try(this.saveSet())}>${texts.saveSet}</button>` : nothing}
        <input id="set" type="file" accept=".zip" tabindex="-1" aria-hidden="true" @change=${this.#onSet} /></div>
      ${unfinished ? this.#offer(unfinished) : nothing}
      ${this.images.length > 0 && !this.busy && !this.outcome ? this.#settings() : nothing}
      <div aria-live="polite">${
        progress
          ? progressView(
              progress,
              paused,
              this.texts,
              () => this.#try(this.#training.togglePause()),
              () => this.cancel(),
            )
          : nothing
      }</div>
      ${this.busy || this.outcome ? this.#curve.render(texts.curve) : nothing}
      <div aria-live="polite">${this.outcome ? this.#outcomeBox(this.outcome) : nothing}
        ${this.kept ? html`<p>${texts.keptAs(this.kept.name)}</p>` : nothing}</div>
      ${this.message ? html`<p role="alert">${this.message}</p>` : nothing}
      ${this.#comparison.render(
        this.texts,
        () => this.#comparable().map(({ name }) => name),
        (name) => this.#try(this.compare(name)),
      )}`;
  }

  /** Images that both models can be compared on: those of the list, and the shown plane. */
  #comparable(): CorrectedImage[] {
    const shown = this.model && collect(this.model, this.#collecting());
    const known = new Set(this.images.map(({ name }) => name));
    return [...this.images, ...(shown && !known.has(shown.name) ? [shown] : [])];
  }

  #outcomeBox(outcome: TrainedModel) {
    return outcomeView(outcome, this.texts, {
      keep: (run) => this.#try(this.keep(run)),
      discard: () => this.discard(),
      save: () => this.#try(this.save()),
      ...(this.images.length > 0 ? { compare: () => this.#try(this.compare()) } : {}),
      checkpoint: (original) => this.#try(this.saveCheckpoint(original)),
    });
  }

  #offer({ name, step }: UnfinishedTraining) {
    const texts = this.texts.trainer;
    return html`<p>${texts.interrupted(name, step)}</p><div class="actions">
      <button part="resume" @click=${() => this.#try(this.resume())}>${texts.resume}</button>
      <button @click=${() => this.#try(this.#training.forget())}>${texts.forget}</button></div>`;
  }

  #settings() {
    const { epochs, learningRate, modelName: name } = this;
    const { bytes } = this.#training;
    const seconds = estimateSeconds(this.images, { epochs, rate: learningRate });
    return settingsView(
      { name, epochs, learningRate, seconds, bytes },
      this.texts,
      ({ name = this.modelName, epochs = this.epochs, learningRate = this.learningRate }) =>
        Object.assign(this, { modelName: name, epochs, learningRate }),
      () => this.#try(this.train()),
    );
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'cyto-trainer': CytoTrainer;
  }
}
