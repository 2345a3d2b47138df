import { expect } from '@open-wc/testing';
import { CytoError, createVolume, type ImageSource, type Progress, type Volume } from 'cytopane/core.js';
import { averagePrecision } from 'cytopane/segmentation';
import { SegmentationClient } from 'cytopane/segmentation-client.js';

const SIDE = 256;

/** Bright discs on a dark, slightly uneven ground, and their labels. */
function discs(planes = 1, radius = 12, pitch = 42): { volume: Volume; truth: Uint32Array } {
  const area = SIDE * SIDE;
  const data = new Uint16Array(planes * area);
  const truth = new Uint32Array(planes * area);
  for (let z = 0; z < planes; z++) {
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++) {
        const i = (z * SIDE + y) * SIDE + x;
        const [row, column] = [Math.floor(y / pitch), Math.floor(x / pitch)];
        const distance = Math.hypot(y - (row + 0.5) * pitch, x - (column + 0.5) * pitch);
        const inside = distance < radius && row < 6 && column < 6;
        data[i] = 200 + ((x * 7 + y * 13) % 40) + (inside ? 3000 - 60 * distance : 0);
        if (inside) truth[i] = row * 6 + column + 1;
      }
    }
  }
  return { volume: createVolume({ data, shape: [planes, SIDE, SIDE] }), truth };
}

async function failure(work: Promise<unknown>): Promise<CytoError> {
  try {
    await work;
  } catch (error) {
    expect(error).instanceOf(CytoError);
    return error as CytoError;
  }
  throw new Error('It did not fail.');
}

describe('segmentation in a worker', () => {
  let client: SegmentationClient;
  beforeEach(() => {
    client = new SegmentationClient();
  });
  afterEach(() => client.dispose());

  it('finds the cells, tells progress and leaves the image as it was', async () => {
    const { volume, truth } = discs();
    const before = volume.data.slice();
    const seen: Progress[] = [];
    const result = await client.run(volume, {}, { backend: 'wasm', onProgress: (p) => seen.push(p) });
    expect(result.count).equal(36);
    expect(averagePrecision(truth, result.labels).ap[0]).above(0.95);
    expect(result.backend.verified).equal(true);
    expect(result.shape).eql([1, SIDE, SIDE]);
    expect(volume.data).eql(before);
    expect(new Set(seen.map(({ phase }) => phase))).include.keys('network', 'masks');
  });

  it('thresholds again from kept flows, without the network', async () => {
    const { volume } = discs();
    const first = await client.run(volume, {}, { backend: 'wasm' });
    const phases = new Set<string>();
    const strict = await client.rethreshold(
      { cellprobThreshold: 30 },
      { onProgress: ({ phase }) => phases.add(phase) },
    );
    expect(strict.count).equal(0);
    expect(phases.has('network')).equal(false);
    const again = await client.rethreshold({ cellprobThreshold: 0 });
    expect(again.labels).eql(first.labels);
    expect((await failure(client.rethreshold({ diameter: 12 }))).message).contain('diameter');
  });

  it('gives flows as colours and cell probability of the last run, on the grid of the image', async () => {
    const { volume, truth } = discs();
    expect((await failure(client.output('flows'))).kind).equal('bad-input');
    await client.run(volume, {}, { backend: 'wasm' });
    const { data: logits, shape, origin } = await client.output('cellprob');
    expect(shape).eql([1, SIDE, SIDE]);
    expect(origin).eql([0, 0, 0]);
    let right = 0;
    for (let i = 0; i < truth.length; i++) if (logits[i] > 0 === truth[i] > 0) right++;
    expect(right / truth.length).above(0.97);
    const { data: colors } = await client.output('flows');
    expect(colors.length).equal(3 * SIDE * SIDE);
    // Flows point to the middle of the disc at (21, 21): the hue turns by half between opposite sides.
    const at = (y: number, x: number) => [0, 1, 2].map((c) => colors[c * SIDE * SIDE + y * SIDE + x]);
    const [upper, lower] = [at(13, 21), at(29, 21)];
    expect(Math.max(...upper)).above(100);
    expect(upper[0]).below(lower[0] - 100);
    expect(at(21, 42)[0] + at(21, 42)[1] + at(21, 42)[2]).below(120);
  });

  it('scales an image of small cells by the size they seem to have, unless a diameter is given', async () => {
    const { volume, truth } = discs(1, 6, 20);
    const seen = await client.run(volume, {}, { backend: 'wasm' });
    expect(seen.estimatedDiameter).within(9, 16);
    expect(averagePrecision(truth, seen.labels).ap[0]).above(0.9);
    expect((await client.rethreshold({})).labels).eql(seen.labels);
    const given = await client.run(volume, { diameter: 30 }, { backend: 'wasm' });
    expect(given.estimatedDiameter).equal(undefined);
    const usual = await client.run(discs(1, 16).volume, {}, { backend: 'wasm' });
    expect(usual.estimatedDiameter).equal(undefined);
    expect(usual.count).equal(36);
  });

  it('learns from the cells how flat they are, where neither the caller nor the image tells', async function () {
    this.timeout(300_000);
    const [planes, side, step] = [16, 48, 3];
    const data = Uint16Array.from({ length: planes * side * side }, (_, i) => {
      const at = [Math.floor(i / (side * side)) * step, Math.floor(i / side) % side, i % side];
      const distance = Math.hypot(...at.map((p) => (p % 24) - 12));
      return 200 + ((i * 7) % 40) + (distance < 10 ? 3000 - 60 * distance : 0);
    });
    const volume = createVolume({ data, shape: [planes, side, side] });
    const seen = await client.run(volume, { mode: '3d', diameter: 30 }, { backend: 'wasm' });
    expect(seen.estimatedAnisotropy).within(2, 4);
    expect(seen.parameters.anisotropy).equal(seen.estimatedAnisotropy);
    expect(seen.count).equal(8);
    // What a result tells can be handed back, and asks for nothing new.
    const again = await client.rethreshold(seen.parameters);
    expect(again.labels).eql(seen.labels);
    expect(again.estimatedAnisotropy).equal(seen.estimatedAnisotropy);
    expect((await failure(client.rethreshold({ anisotropy: 1 }))).message).contain('anisotropy');
    const calibration = { spacing: [1.5, 0.5, 0.5], unit: 'µm', calibrated: true } as const;
    const thin = createVolume({ data: data.slice(0, 4 * 24 * 24), shape: [4, 24, 24], calibration });
    const stated = await client.run(thin, { mode: '3d', diameter: 30 }, { backend: 'wasm' });
    expect(stated.parameters.anisotropy).equal(3);
    expect(stated.estimatedAnisotropy).equal(undefined);
  });

  it('joins planes and skips none', async () => {
    const { volume, truth } = discs(3);
    const { labels, count } = await client.run(volume, { mode: 'stitch' }, { backend: 'wasm' });
    expect(count).equal(36);
    expect(averagePrecision(truth, labels).ap[0]).above(0.95);
  });

  it('segments a box of a stack as if there were nothing else, or one plane of it', async () => {
    const { volume, truth } = discs(4);
    const scope = { from: [1, 42, 84], to: [3, 210, 252] } as const;
    const result = await client.run(volume, { mode: 'stitch' }, { backend: 'wasm', scope });
    expect(result.shape).eql([2, 168, 168]);
    expect(result.origin).eql(scope.from);
    expect(result.count).equal(16);
    const cut = result.labels.map((_, i) => {
      const [z, y, x] = [Math.floor(i / 28224), Math.floor(i / 168) % 168, i % 168];
      return truth[((z + 1) * SIDE + y + 42) * SIDE + x + 84];
    });
    expect(averagePrecision(cut, result.labels).ap[0]).above(0.9);
    const again = await client.rethreshold({ minSize: 16 });
    expect(again.origin).eql(scope.from);
    expect(again.confidence?.cellprob.length).equal(17);
    const plane = await client.run(volume, { mode: '3d' }, { backend: 'wasm', scope: 'plane', z: 2 });
    expect(plane.shape).eql([1, SIDE, SIDE]);
    expect(plane.origin).eql([2, 0, 0]);
    expect(plane.parameters.mode).equal('2d');
    expect(plane.count).equal(36);
  });

  it('segments a source that is read part by part, as the whole, and makes labels again', async () => {
    const { volume, truth } = discs(4);
    const source: ImageSource = {
      ...volume,
      dtype: 'uint16',
      levels: [{ shape: volume.shape, calibration: volume.calibration, chunk: [1, 128, 128] }],
      readVolume: async () => volume,
      read: async ({ z, y, x }) => {
        const out = new Uint16Array((z![1] - z![0]) * (y![1] - y![0]) * (x![1] - x![0]));
        let k = 0;
        for (let a = z![0]; a < z![1]; a++)
          for (let b = y![0]; b < y![1]; b++)
            for (let c = x![0]; c < x![1]; c++) out[k++] = volume.data[(a * SIDE + b) * SIDE + c];
        return { data: out, shape: [1, 1, z![1] - z![0], y![1] - y![0], x![1] - x![0]] };
      },
      close: () => {},
    };
    const result = await client.runBlocks(source, { mode: 'stitch' }, { backend: 'wasm' });
    const again = await client.rethreshold({ cellprobThreshold: 1 });
    const whole = await client.run(volume, { mode: 'stitch' }, { backend: 'wasm' });
    expect((await client.rethreshold({ cellprobThreshold: 1 })).labels).eql(again.labels);
    expect(result.labels).eql(whole.labels);
    expect(result.confidence).eql(whole.confidence);
    expect(result.joins).eql(whole.joins);
    expect(result.shape).eql([4, SIDE, SIDE]);
    expect(result.count).equal(36);
    expect(averagePrecision(truth, result.labels).ap[0]).above(0.9);
  });

  it('refuses a run that does not fit or a box outside before anything is sent', async () => {
    const { volume } = discs(4);
    const phases = new Set<string>();
    const onProgress = ({ phase }: Progress) => phases.add(phase);
    const large = await failure(client.run(volume, { mode: '3d' }, { memory: 1e6, onProgress }));
    expect(large.kind).equal('too-large');
    const scope = { from: [0, 0, 0], to: [5, 9, 9] } as const;
    const outside = await failure(client.run(volume, { mode: 'stitch' }, { scope, onProgress }));
    expect(outside.message).contain('does not lie');
    expect(phases.size).equal(0);
  });

  it('two clients wait for each other and keep their own flows', async () => {
    const other = new SegmentationClient();
    const blank = createVolume({
      data: new Uint8Array(SIDE * SIDE).map((_, i) => i % 3),
      shape: [SIDE, SIDE],
    });
    const [cells, none] = await Promise.all([
      client.run(discs().volume, {}, { backend: 'wasm' }),
      other.run(blank, {}, { backend: 'wasm' }),
    ]);
    expect(cells.count).equal(36);
    expect(none.count).below(4);
    expect((await client.rethreshold({ minSize: 20 })).count).equal(36);
    other.dispose();
  });

  it('names what is wrong with parameters, model or image, and goes on', async () => {
    const { volume } = discs();
    const bad = async (work: Promise<unknown>, kind: string, words: RegExp) => {
      const error = await failure(work);
      expect(error.kind, error.message).equal(kind);
      expect(error.message).match(words);
    };
    await bad(client.rethreshold({}), 'bad-input', /run the segmentation first/);
    await bad(client.run(volume, { diameter: 1 }), 'bad-input', /diameter/);
    await bad(client.run(volume, { mode: 'stitch' }), 'bad-input', /single plane/);
    await bad(client.run(volume, { channels: [4] }), 'bad-input', /channel 5/);
    await bad(client.run(volume, {}, { z: 3 }), 'bad-input', /plane/);
    await bad(client.run(volume, {}, { model: 'no-such-model' }), 'not-found', /no-such-model/);
    await bad(client.run(volume, {}, { model: '../../secret' }), 'model', /id of a model/);
    const nan = createVolume({ data: new Float32Array(64 * 64).fill(Number.NaN), shape: [64, 64] });
    await bad(client.run(nan, {}, { backend: 'wasm' }), 'bad-input', /NaN|finite|number/);
    expect((await client.run(volume, {}, { backend: 'wasm' })).count).equal(36);
  });

  it('is cancelled within 100 ms while the network runs, and runs again', async () => {
    const { volume } = discs(3);
    await client.run(discs().volume, {}, { backend: 'wasm' });
    const controller = new AbortController();
    let asked = Number.NaN;
    const cancelled = failure(
      client.run(
        volume,
        { mode: 'stitch', augment: true },
        {
          backend: 'wasm',
          signal: controller.signal,
          onProgress: ({ phase, value }) => {
            if (phase === 'network' && value === 1 && !controller.signal.aborted) {
              asked = performance.now();
              controller.abort();
            }
          },
        },
      ),
    );
    expect((await cancelled).kind).equal('aborted');
    expect(performance.now() - asked).below(100);
    expect((await client.run(discs().volume, {}, { backend: 'wasm' })).count).equal(36);
  });
});
