import { parseDocument } from 'yaml';
import { encodeNpy } from '../../core/npy.ts';
import { hashOf } from '../../core/sha256.ts';
import { VERSION } from '../../core/version.ts';
import type { ModelFolder } from '../models/model-folder.ts';
import { CARD, type ModelCard } from '../segmentation/network/model-card.ts';
import type { Model } from '../segmentation/network/model-files.ts';
import type { TrainingSettings } from './settings.ts';
import type { TrainingOutcome } from './train.ts';
import type { Trainee } from './trainee.ts';

/** The hash of a model's weights, wherever they lie. */
export const fingerprint = ({ weights, externalData }: ModelCard): string =>
  externalData?.sha256 ?? weights.sha256;

const STYLES = 'styles.npy';

/** How a new model is called. */
export interface NewModelName {
  /** Unique, see model-id.ts. */
  id: string;
  /** For people. */
  name: string;
}

/**
 * The folder of a trained model, files by name: graph, card (BioImage.IO `rdf.yaml`), test tensors made anew. The card is
 * that of the model it was trained from; what it was trained with stands in `config.cytopane.training`.
 * @param parent the model that was started from, and its folder
 */
export async function newModelFiles(
  parent: Model,
  folder: ModelFolder,
  trainee: Trainee,
  outcome: TrainingOutcome,
  settings: TrainingSettings,
  { id, name }: NewModelName,
): Promise<Map<string, Blob>> {
  const { card, testInput } = parent;
  const { graph, external } = await trainee.files(outcome.model);
  const [batch, , height, width] = testInput.shape;
  const network = await trainee.open(outcome.model);
  let output: Float32Array;
  try {
    output = await network.run(testInput.data as Float32Array, batch, height, width);
  } finally {
    await network.release();
  }
  const document = parseDocument(await (await folder.open(CARD)).text());
  document.set('name', name);
  document.set('version', '1.0.0');
  document.set(
    'description',
    `${card.name}, trained further on ${outcome.images} image${outcome.images === 1 ? '' : 's'} with ${outcome.cells} cells.`,
  );
  document.delete('documentation');
  document.setIn(['weights', 'onnx', 'source'], 'model.onnx');
  document.setIn(['weights', 'onnx', 'sha256'], await hashOf(graph));
  if (external) {
    document.setIn(['weights', 'onnx', 'external_data', 'sha256'], await hashOf(external.data));
    document.setIn(['config', 'cytopane', 'external_data_size'], external.data.size);
  }
  // The smaller pair of test tensors serves as the only one.
  document.setIn(['inputs', 0, 'test_tensor'], { source: 'test_input.npy' });
  document.setIn(['outputs', 0, 'test_tensor'], { source: 'test_output.npy' });
  const own = ['config', 'cytopane'];
  document.setIn([...own, 'id'], id);
  document.setIn([...own, 'size'], graph.size);
  document.deleteIn([...own, 'quick_test']);
  const round = (value: number) => Number(value.toFixed(4));
  document.setIn([...own, 'training'], {
    parent: { id: card.id, version: card.version, sha256: fingerprint(card) },
    images: outcome.images,
    cells: outcome.cells,
    ...settings,
    steps: outcome.step,
    share: outcome.share,
    ...(outcome.remembered === undefined ? {} : { remembered: round(outcome.remembered) }),
    seconds: Math.round(outcome.seconds),
    backend: outcome.backend,
    judged_on: outcome.judgedOn,
    ap50_before: round(outcome.before.ap50),
    ap50_after: round(outcome.after.ap50),
    made_with: `cytopane ${VERSION}`,
    made_on: new Date().toISOString(),
  });
  const { rehearsal } = card;
  const styles = outcome.improved ? outcome.styles : await parent.styles();
  if (styles) document.setIn([...own, 'styles'], STYLES);
  else document.deleteIn([...own, 'styles']);
  return new Map([
    [CARD, new Blob([String(document)])],
    ['model.onnx', graph],
    ...(external ? [[external.source, external.data] as const] : []),
    ...(rehearsal ? [[rehearsal.source, await folder.open(rehearsal.source)] as const] : []),
    ...(styles ? [[STYLES, new Blob([encodeNpy(styles.data as Float32Array, styles.shape)])] as const] : []),
    ['test_input.npy', new Blob([encodeNpy(testInput.data as Float32Array, testInput.shape)])],
    ['test_output.npy', new Blob([encodeNpy(output, testInput.shape)])],
  ]);
}
