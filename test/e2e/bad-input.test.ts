import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { labelTiff } from '../../core/exports/label-tiff.ts';
import { dropFile, openStage, repository, run, type Stage, shown } from './browser.ts';

const pixel = { spacing: [1, 1, 1] as const, unit: 'px', calibrated: false };

/** A little-endian NumPy file. */
function npy(descr: string, shape: number[], samples: Uint8Array): Uint8Array {
  const header = `${`{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`.padEnd(117)}\n`;
  return Buffer.concat([
    Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]),
    Buffer.from(header, 'latin1'),
    samples,
  ]);
}

describe('bad input', () => {
  let stage: Stage;
  before(async () => {
    stage = await openStage();
    await stage.page.goto(`${stage.origin}/demo/`);
    await shown(stage.page, 'nuclei-2d.png');
  });
  after(() => stage.close());

  const alert = () => stage.page.locator('cyto-workbench [part=alert]');
  const dismiss = async () => {
    await alert().getByRole('button').click();
    await alert().waitFor({ state: 'detached' });
  };

  async function refused(name: string, bytes: Uint8Array, message: RegExp): Promise<void> {
    await dropFile(stage.page, name, bytes);
    await alert().waitFor();
    assert.match((await alert().textContent()) ?? '', message);
    await dismiss();
    await shown(stage.page, 'nuclei-2d.png');
  }

  it('an empty file', () => refused('empty.tif', new Uint8Array(0), /empty/));
  it('text named .tif', () => refused('notes.tif', Buffer.from('Dear diary,\n'), /text file, not an image/));
  it('a truncated TIFF', async () => {
    const whole = readFileSync(join(repository, 'demo/data/embryo-3d.tif'));
    await refused('half.tif', whole.subarray(0, whole.length >> 1), /damaged|incomplete/);
  });
  it('a TIFF of eight bytes', () =>
    refused('tiny.tif', Buffer.from([0x49, 0x49, 42, 0, 8, 0, 0, 0]), /damaged|could not be read/));
  it('an image too large for memory', async () => {
    const tiff = Buffer.from(labelTiff(new Uint32Array(4), [1, 2, 2], pixel));
    // Announce 60,000 × 60,000 pixels: width and height stand behind their tags in the directory.
    for (const tag of [256, 257, 278]) {
      for (let at = 8; at + 12 <= tiff.length; at++) {
        if (
          tiff.readUInt16LE(at) === tag &&
          tiff.readUInt16LE(at + 2) === 4 &&
          tiff.readUInt32LE(at + 4) === 1
        ) {
          tiff.writeUInt32LE(60_000, at + 8);
        }
      }
    }
    await refused('wide.tif', tiff, /60000|GiB/);
  });
  it('a wrong address', async () => {
    await stage.page.evaluate(() =>
      document
        .querySelector('cyto-workbench')
        ?.open('data/nothing-here.tif')
        .catch(() => undefined),
    );
    await alert().waitFor();
    assert.match((await alert().textContent()) ?? '', /There is no file at/);
    await dismiss();
  });
  it('a server that refuses by CORS', async () => {
    const server = createServer((_, response) => response.end('x')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await stage.page.evaluate(
      (address) =>
        document
          .querySelector('cyto-workbench')
          ?.open(address)
          .catch(() => undefined),
      `http://127.0.0.1:${port}/image.png`,
    );
    await alert().waitFor();
    assert.match((await alert().textContent()) ?? '', /CORS/);
    await dismiss();
    server.close();
  });

  for (const [what, file] of [
    ['one pixel', npy('<u2', [1, 1], Buffer.from([7, 0]))],
    ['constant', npy('|u1', [64, 64], new Uint8Array(4096).fill(9))],
  ] as const) {
    it(`an image of ${what} values has no cells`, async () => {
      await dropFile(stage.page, `${what}.npy`, file);
      await shown(stage.page, `${what}.npy`);
      assert.equal((await run(stage.page)).count, 0);
    });
  }

  it('an image of NaN says so', async () => {
    const samples = new Float32Array(64 * 64).fill(Number.NaN);
    await dropFile(stage.page, 'nan.npy', npy('<f4', [64, 64], new Uint8Array(samples.buffer)));
    await shown(stage.page, 'nan.npy');
    await stage.page.getByRole('button', { name: 'Run', exact: true }).click();
    const message = stage.page.locator('cyto-segmenter [role=alert]');
    await message.waitFor();
    assert.match((await message.textContent()) ?? '', /finite number/);
  });

  it('leaves the page working', async () => {
    const file = readFileSync(join(repository, 'demo/data/nuclei-small-2d.png'));
    await dropFile(stage.page, 'nuclei-small-2d.png', file);
    await shown(stage.page, 'nuclei-small-2d.png');
    assert.ok((await run(stage.page)).count > 20);
    assert.deepEqual(stage.problems, []);
  });
});
