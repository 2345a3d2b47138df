import { html, nothing } from 'lit';
import type { Progress } from '../../core/progress.ts';
import type { SegmentationResult } from '../../core/segmentation-parameters.ts';
import type { Texts } from '../localization/en.ts';
import type { FrameResult } from './run-client.ts';

/** How far a run is: phase, tiles or planes done, time left. */
export function progressLine(progress: Progress, texts: Texts) {
  if (progress.phase === 'waiting')
    return html`<progress part="progress"></progress><span class="quiet-text">${texts.waiting}</span>`;
  const name = texts.phases[progress.phase as keyof typeof texts.phases] ?? progress.phase;
  const count =
    progress.phase === 'load-model'
      ? texts.models.size(progress.value)
      : progress.total > 1
        ? `${Math.floor(progress.value)} / ${progress.total}`
        : '';
  const left =
    progress.secondsLeft === undefined ? '' : ` · ${texts.left(texts.seconds(progress.secondsLeft))}`;
  return html`<progress part="progress" max=${progress.total} .value=${progress.value} aria-label=${name}></progress>
    <span class="quiet-text">${name} ${count}${left}</span>`;
}

/** What is told of a run on one or several time points: cells are counted once if they are linked through time. */
export function summaryOf(frames: readonly FrameResult[]): Omit<SegmentationResult, 'labels'> {
  const { labels: _, ...first } = frames[0].result;
  if (frames.length === 1) return first;
  const sum = (value: (result: SegmentationResult) => number) =>
    frames.reduce((total, { result }) => total + value(result), 0);
  const count = first.linkedCount ?? sum((result) => result.count);
  return { ...first, count, milliseconds: sum((result) => result.milliseconds) };
}

/** What a run has found, how long it took, and where it ran. */
export function runSummary(
  { backend, count, milliseconds, estimatedAnisotropy }: Omit<SegmentationResult, 'labels'>,
  texts: Texts,
) {
  const { kind, threads, refusals } = backend;
  const gpu = refusals.find((refusal) => refusal.kind === 'webgpu');
  const server = refusals.find((refusal) => refusal.kind === 'remote');
  const threadless = refusals.some((refusal) => refusal.kind === 'wasm' && refusal.threads > 1);
  return html`<div class="summary" part="summary" title=${refusals.map(({ detail }) => detail).join(' ')}>
    <b>${texts.cellsFound(count)}</b>
    <span class="quiet-text">${texts.took(texts.seconds(milliseconds / 1000), texts.backendName(kind, threads))}</span>
    ${estimatedAnisotropy ? html`<div class="quiet-text">${texts.anisotropyEstimated(estimatedAnisotropy)}</div>` : nothing}
    ${gpu ? html`<div class="quiet-text">${texts.backendChanged(texts.refusals[gpu.reason])}</div>` : nothing}
    ${server ? html`<div class="quiet-text">${texts.serverRefused(texts.refusals[server.reason])}</div>` : nothing}
    ${threadless ? html`<div class="quiet-text">${texts.threadsRefused}</div>` : nothing}
    ${count === 0 ? html`<p>${texts.noCells}</p>` : nothing}
  </div>`;
}
