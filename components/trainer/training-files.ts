import type { TrainedModel, TrainingClient } from '../../workers/training/client.ts';
import type { CorrectedImage } from './corrected-image.ts';

/** Lets the user save a new model as a BioImage.IO package. */
export async function saveModel(host: HTMLElement, { id, files }: TrainedModel): Promise<void> {
  const { pickDestination, saveFile } = await import('../export-menu/save-file.ts');
  const file = `${id}.zip`;
  const destination = await pickDestination(file);
  if (!destination) return;
  const { zipModel } = await import('./model-zip.ts');
  await saveFile(host, file, await zipModel(files), destination);
}

/**
 * Saves a trained Cellpose-SAM as a PyTorch checkpoint.
 * @param original the checkpoint that the model was converted from
 * @throws CytoError as TrainingClient.checkpoint
 */
export async function saveAsCheckpoint(
  host: HTMLElement,
  client: TrainingClient,
  outcome: TrainedModel,
  original: File,
): Promise<void> {
  const { saveFile } = await import('../export-menu/save-file.ts');
  // The click was spent on choosing the original: the file goes to the downloads.
  await saveFile(host, `${outcome.id}.pth`, await client.checkpoint(outcome, original), 'download');
}

/** Lets the user save corrected images as one zip in the layout of Cellpose. */
export async function saveTrainingSet(host: HTMLElement, images: readonly CorrectedImage[]): Promise<void> {
  const { pickDestination, saveFile } = await import('../export-menu/save-file.ts');
  const file = 'training-set.zip';
  const destination = await pickDestination(file);
  if (!destination) return;
  const { trainingSetZip } = await import('./training-set-file.ts');
  await saveFile(host, file, await trainingSetZip(images), destination);
}
