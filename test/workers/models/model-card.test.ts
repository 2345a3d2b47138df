import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { CytoError } from '../../../core/errors.ts';
import { filesOf, parseModelCard, weightsSize } from '../../../workers/segmentation/network/model-card.ts';

const conv3 = await readFile(new URL('conv3/rdf.yaml', import.meta.url), 'utf8');
const refused = (words: RegExp) => (error: unknown) =>
  error instanceof CytoError && error.kind === 'model' && words.test(error.message);

/** A card as the BioImage.IO model zoo holds them: format 0.4, nothing of this package's own. */
const OLD = `
format_version: 0.4.10
type: model
name: Zoo Cells
license: MIT
inputs:
  - {name: raw, axes: bcyx, data_type: float32, shape: [1, 3, 256, 256]}
outputs:
  - {name: flow, axes: bcyx, data_type: float32, shape: [1, 3, 256, 256]}
test_inputs: [in.npy]
test_outputs: [out.npy]
weights:
  onnx: {source: weights.onnx, sha256: ${'ab'.repeat(32)}, opset_version: 16}
`;

describe('model card', () => {
  it('reads size, files, tile and tolerance', () => {
    const card = parseModelCard(conv3);
    assert.equal(card.tile, 64);
    assert.equal(card.externalData?.source, 'model.onnx.data');
    assert.equal(weightsSize(card), (card.weights.size ?? 0) + 336);
    assert.deepEqual(
      filesOf(card).map(({ source }) => source),
      ['model.onnx', 'model.onnx.data', 'test_input.npy', 'test_output.npy'],
    );
    assert.deepEqual(card.tolerance, { absolute: 1e-3, relative: 1e-3, mismatchedPerMillion: 100 });
  });

  it('reads cards of the model zoo that know nothing of this package', () => {
    const card = parseModelCard(OLD);
    assert.equal(card.id, 'zoo-cells');
    assert.equal(card.tile, 256);
    assert.equal(card.test.input.source, 'in.npy');
    assert.equal(card.diameter.mean, 30);
    assert.equal(weightsSize(card), undefined);
    assert.equal(parseModelCard(OLD.replaceAll(' 256', ' 224')).tile, 224);
  });

  it('takes other sides only in steps that hold for both axes', async () => {
    const own = await readFile(new URL('../../../models/default/rdf.yaml', import.meta.url), 'utf8');
    assert.deepEqual(parseModelCard(own).sides, { step: 32, largest: 544 });
    const uneven = own.replace(
      /(id: y, type: space, size: \{ min: 32, step: )32/,
      (_, before) => `${before}16`,
    );
    assert.notEqual(uneven, own);
    assert.equal(parseModelCard(uneven).sides, undefined);
    assert.throws(
      () => parseModelCard(own.replace('largest_tile: 544', 'largest_tile: 128')),
      /largest tile is 128 pixels, less than its tile of 256/,
    );
    assert.equal(parseModelCard(OLD).sides, undefined);
  });

  it('shows a notice and keeps to file names beside the card', () => {
    const noted = `${conv3}    notice: Trained on data for research use only.\n`;
    assert.match(parseModelCard(noted).notice ?? '', /research/);
    const escaping = conv3.replace('source: model.onnx\n', 'source: ../model.onnx\n');
    assert.throws(() => parseModelCard(escaping), refused(/weights\.onnx\.source/));
  });

  it('refuses other contracts and says which part', () => {
    const cases: Array<[string, RegExp]> = [
      [OLD.replaceAll('[1, 3,', '[1, 2,'), /2 channels.*have 3/],
      [OLD.replaceAll('bcyx', 'bczyx'), /axes b, c, z, y, x/],
      [OLD.replace('onnx:', 'pytorch_state_dict:'), /no ONNX weights \(only pytorch_state_dict\)/],
      [OLD.replace('type: model', 'type: dataset'), /not of a model/],
      [OLD.replace('data_type: float32', 'data_type: uint8'), /data_type/],
      [OLD.replace('name: raw,', 'name: raw, preprocessing: [{name: scale_range}],'), /scale_range/],
      [OLD.replace('abab', 'zz'), /sha256/],
      [OLD.replace('test_inputs: [in.npy]', ''), /test_inputs/],
      ['a: [', /not valid YAML/],
      ['- 1', /no entries/],
    ];
    for (const [text, words] of cases) assert.throws(() => parseModelCard(text), refused(words));
  });
});
