import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { completeRegion, type Region, type RegionData } from '../../core/image-source.ts';
import type { TaskOptions } from '../../core/progress.ts';
import {
  fillWindow,
  fittingDetail,
  placesOf,
  resample,
  type Samples,
  samplesOfTiles,
  tilesWithin,
} from '../../core/tile-window.ts';
import { relativeVoxel, TiledImage, TileMemory, type TileReader } from '../../core/tiled-image.ts';
import type { Shape5 } from '../../core/volume.ts';

const XY = { right: 2, down: 1, across: 0 } as const;
const YZ = { right: 0, down: 1, across: 2 } as const;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Levels of a stack of 3 planes; a sample tells its plane and full-resolution place. */
const sample = (z: number, y: number, x: number) => (z * 50_000 + y * 100 + (x >> 3)) & 0xffff;

class Slide implements TileReader {
  readonly dtype = 'uint16' as const;
  readonly levels = [1, 2, 4, 8].map((factor) => ({
    shape: [1, 1, 3, Math.ceil(3000 / factor), Math.ceil(2001 / factor)] as Shape5,
    calibration: { spacing: [1, factor, factor] as const, unit: 'µm', calibrated: true },
    chunk: [1, 256, 256] as const,
  }));
  /** Reads that wait for {@link answer}. */
  readonly waiting: Array<{
    region: Region;
    level: number;
    signal: AbortSignal | undefined;
    send: () => void;
  }> = [];

  read(region: Region, level: number, { signal }: TaskOptions = {}): Promise<RegionData> {
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new DOMException('stop', 'AbortError')));
      this.waiting.push({ region, level, signal, send: () => resolve(this.samples(region, level)) });
    });
  }

  samples(region: Region, level: number): RegionData {
    const { z, y, x } = completeRegion(region, this.levels[level].shape);
    const shape: Shape5 = [1, 1, z[1] - z[0], y[1] - y[0], x[1] - x[0]];
    const data = new Uint16Array(shape[2] * shape[3] * shape[4]);
    const size = 2 ** level;
    let at = 0;
    for (let k = z[0]; k < z[1]; k++)
      for (let j = y[0]; j < y[1]; j++)
        for (let i = x[0]; i < x[1]; i++) data[at++] = sample(k, j * size, i * size);
    return { data, shape };
  }

  async answer(): Promise<void> {
    for (const { send } of this.waiting.splice(0)) send();
    await turn();
  }
}

function tiled(memory = new TileMemory()) {
  const slide = new Slide();
  return { slide, memory, image: new TiledImage(slide, { overview: 3, rgb: false, memory }) };
}
const plane = { axes: XY, t: 0, c: 0, depth: 1.5 };

describe('an image read in tiles', () => {
  it('is asked for what is on screen, from the middle outwards, six at a time', async () => {
    const { slide, image } = tiled();
    const grid = image.grid(0, XY)!;
    assert.deepEqual([grid.tileWidth, grid.tileHeight], [256, 256]);
    const places = placesOf(image, 0, plane, tilesWithin(grid, [600, 600, 1500, 1500]));
    assert.equal(places.length, 16);
    image.want('pane' as unknown as object, places);
    assert.equal(slide.waiting.length, 6);
    const middles = slide.waiting.map(({ region }) => [region.x![0], region.y![0], region.z![0]]);
    for (const [x, y] of middles.slice(0, 4)) assert.ok(x >= 768 && x <= 1024 && y >= 768 && y <= 1024);
    assert.ok(middles.every(([, , z]) => z === 1));
    while (slide.waiting.length > 0) await slide.answer();
    assert.equal(image.missing, 0);
    assert.equal(image.bytes, 16 * 256 * 256 * 2);
    assert.equal(image.sampleAt(0, 0, [1, 700 / 8 + 0.01, 900 / 8 + 0.01]), sample(1, 700, 900));
  });

  it('aborts what is no longer wanted and does not begin it again', async () => {
    const { slide, image } = tiled();
    const asker = {};
    const grid = image.grid(0, XY)!;
    image.want(asker, placesOf(image, 0, plane, [0, 0, 4, 4]));
    const stale = slide.waiting.splice(0);
    image.want(asker, placesOf(image, 0, plane, tilesWithin(grid, [1800, 2800, 1801, 2801])));
    assert.ok(stale.every(({ signal }) => signal?.aborted));
    await turn();
    assert.deepEqual(
      slide.waiting.map(({ region }) => region.x![0]),
      [1792],
    );
    await slide.answer();
    assert.equal(slide.waiting.length, 0);
    image.want(asker, []);
    assert.equal(image.missing, 0);
  });

  it('keeps no more than its budget, the latest used', () => {
    const memory = new TileMemory(1000);
    for (let k = 0; k < 20; k++) {
      memory.set(`t${k}`, new Uint8Array(100));
      memory.get('t0');
    }
    assert.equal(memory.bytes, 1000);
    assert.ok(memory.get('t0') && memory.get('t19') && !memory.get('t5'));
    memory.deleteAll('t1');
    assert.ok(memory.get('t0') && !memory.get('t19'));
  });

  it('tells a failure once and asks for the tile later, not at once', async () => {
    const { slide, image } = tiled();
    const asker = {};
    const problems: string[] = [];
    image.addEventListener('problem', (event) => problems.push((event as CustomEvent<Error>).detail.message));
    slide.read = async () => {
      throw new Error('server down');
    };
    const places = placesOf(image, 0, plane, [0, 0, 1, 1]);
    image.want(asker, places);
    await turn();
    image.want(asker, places);
    await turn();
    assert.deepEqual(problems, ['server down']);
    assert.equal(image.missing, 0);
  });

  it('chooses the coarsest level with a sample per pixel', () => {
    const { image } = tiled();
    assert.deepEqual(
      [8, 1, 0.99, 0.5, 0.3, 0.125, 0.01].map((pixel) => fittingDetail(image, XY, pixel)),
      [3, 3, 3, 2, 1, 0, 0],
    );
  });

  it('reads no planes across blocks that cost too much', () => {
    const { slide, image } = tiled();
    assert.ok(image.grid(0, YZ));
    slide.levels[0] = { ...slide.levels[0], chunk: [1, 256, 2001] as never, shape: [1, 1, 3000, 3000, 2001] };
    assert.equal(image.grid(0, YZ), undefined);
  });

  it('yz planes have z to the right', async () => {
    const { slide, image } = tiled();
    const side = { axes: YZ, t: 0, c: 0, depth: 10.01 };
    const [place] = placesOf(image, 0, side, [0, 0, 1, 1]);
    image.want({}, [place]);
    await slide.answer();
    const tile = image.get(place)!;
    for (const [y, z] of [
      [0, 0],
      [7, 2],
      [200, 1],
    ])
      assert.equal(tile[y * 3 + z], sample(z, y, 80));
  });

  it('of a level whose lengths were rounded takes the stated spacing, else the lengths', () => {
    const { levels } = new Slide();
    assert.deepEqual(relativeVoxel(levels[0], levels[3]), [1, 1 / 8, 1 / 8]);
    const silent = levels.map((level) => ({
      ...level,
      calibration: { ...level.calibration, spacing: [1, 1, 1] as const },
    }));
    assert.deepEqual(relativeVoxel(silent[0], silent[3]), [1, 375 / 3000, 251 / 2001]);
  });
});

describe('a window on a tiled image', () => {
  it('shows the overview, then coarser tiles, then its own', async () => {
    const { slide, image } = tiled();
    const grid = image.grid(1, XY)!;
    const rectangle = samplesOfTiles(grid, [1, 1, 3, 3]);
    const [width, height] = [rectangle[2] - rectangle[0], rectangle[3] - rectangle[1]];
    const whole = slide.samples({ z: [1, 2] }, 3).data;
    const overview: Samples = { data: whole, rectangle: [0, 0, 251, 375], voxel: [1, 1] };
    const fill = () => {
      const target: Samples = { data: new Uint16Array(width * height), rectangle, voxel: [0.25, 0.25] };
      const own = fillWindow(image, plane, 1, target, overview);
      return {
        own: own.length,
        at: (y: number, x: number) => target.data[(y - rectangle[1]) * width + x - rectangle[0]],
      };
    };
    const coarse = (size: number, y: number, x: number) =>
      sample(1, Math.floor((y * 2) / size) * size, Math.floor((x * 2) / size) * size);
    let window = fill();
    assert.equal(window.own, 0);
    assert.equal(window.at(300, 401), coarse(8, 300, 401));
    image.want({}, placesOf(image, 2, plane, [0, 0, 1, 1]));
    await slide.answer();
    window = fill();
    assert.equal(window.at(301, 403), coarse(4, 301, 403));
    assert.equal(window.at(600, 700), coarse(8, 600, 700));
    image.want({}, placesOf(image, 1, plane, [1, 1, 2, 2]));
    await slide.answer();
    window = fill();
    assert.equal(window.own, 1);
    assert.equal(window.at(301, 403), sample(1, 602, 806));
    assert.equal(window.at(301, 600), coarse(8, 301, 600));
  });

  it('takes each sample from where its middle lies', () => {
    const source: Samples = { data: Uint8Array.of(1, 2, 3, 4, 5, 6), rectangle: [2, 1, 5, 3], voxel: [1, 1] };
    const target: Samples = { data: new Uint8Array(100), rectangle: [0, 0, 10, 10], voxel: [0.5, 0.5] };
    resample(source, target, 1);
    const rows = Array.from({ length: 10 }, (_, y) =>
      [...target.data.subarray(y * 10, y * 10 + 10)].join(''),
    );
    assert.deepEqual(rows.slice(0, 7), [
      '0000000000',
      '0000000000',
      '0000112233',
      '0000112233',
      '0000445566',
      '0000445566',
      '0000000000',
    ]);
  });
});
