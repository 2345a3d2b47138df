import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { unzipSync, zipSync } from 'fflate';
import { CytoError, type ErrorKind } from '../../../core/errors.ts';
import { openNetworkFile } from '../../../models/cpsam/convert.ts';
import { referenceFile, sourceOf } from './sinks.ts';

const encode = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

const rest = ({ 'data/0': _, ...others }: Record<string, Uint8Array>) => others;

/** An archive as torch.save makes it: stored, in a folder. */
const archive = (files: Record<string, Uint8Array>, level: 0 | 6 = 0) =>
  zipSync(Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`mini/${name}`, bytes])), {
    level,
  });

const refused = (bytes: Uint8Array, kind: ErrorKind, words: RegExp, name = 'mini.pth') =>
  assert.rejects(openNetworkFile(sourceOf(bytes, name)), (error) => {
    assert.ok(error instanceof CytoError, String(error));
    assert.match(error.message, words);
    assert.equal(error.kind, kind, error.message);
    return true;
  });

describe('files that are no checkpoint of Cellpose 4', () => {
  let whole: Uint8Array;
  let parts: Record<string, Uint8Array>;

  before(async () => {
    whole = new Uint8Array(await referenceFile('mini_bf16.pth'));
    parts = Object.fromEntries(
      Object.entries(unzipSync(whole)).map(([name, bytes]) => [name.slice(name.indexOf('/') + 1), bytes]),
    );
  });

  it('takes the archive that the others are made of', async () => {
    const { vit } = await openNetworkFile(sourceOf(archive(parts)));
    assert.equal(vit.kind, 'Cellpose-SAM');
  });

  for (const [name, pickle] of [
    ['posix.system', 'cposix\nsystem\nX\x02\0\0\0lsq\x00\x85R.'],
    ['builtins.eval', 'cbuiltins\neval\nX\x01\0\0\x001\x85R.'],
    ['torch.storage._load_from_bytes', 'ctorch.storage\n_load_from_bytes\nC\x01\0\x85R.'],
    ['os.system', '\x8c\x02os\x8c\x06system\x93.'],
  ] as const) {
    it(`refuses a pickle that names ${name}, without running it`, () =>
      refused(
        archive({ ...parts, 'data.pkl': encode(`\x80\x04${pickle}`) }),
        'unsupported',
        new RegExp(`"${name.replaceAll('.', '\\.')}" of Python.*not run`),
      ));
  }

  it('refuses instructions that only objects with behaviour need', () =>
    refused(
      archive({ ...parts, 'data.pkl': encode('\x80\x02i__main__\nA\n.') }),
      'unsupported',
      /instruction/,
    ));

  it('says that a file which was cut is incomplete', async () => {
    for (const share of [0.2, 0.9, 0.999])
      await refused(whole.subarray(0, whole.length * share), 'corrupt-file', /damaged or incomplete/);
    await refused(whole.subarray(0, 2), 'unsupported', /not a checkpoint of PyTorch 1\.6/);
    await refused(
      archive({ ...parts, 'data.pkl': parts['data.pkl'].subarray(0, 300) }),
      'corrupt-file',
      /damaged/,
    );
  });

  it('refuses packed archives, which could unpack to any size', () =>
    refused(
      archive({ 'data/0': new Uint8Array(5e7), ...rest(parts) }, 6),
      'unsupported',
      /is packed .*50000000 bytes/,
    ));

  it('refuses numbers that are missing, too few or too many', async () => {
    const first = parts['data/0'];
    await refused(
      archive({ ...parts, 'data/0': first.subarray(2) }),
      'corrupt-file',
      /take \d+ bytes instead of/,
    );
    await refused(archive({ ...parts, 'data/0': new Uint8Array(9e6) }), 'corrupt-file', /9000000 bytes/);
    await refused(archive(rest(parts)), 'corrupt-file', /numbers of "\S+" are missing/);
  });

  it('refuses tensors that reach beyond their numbers', () => {
    // The first shape of the list, W2 of 192 × 3 × 8 × 8, becomes 208 × 3 × 8 × 8.
    const pickle = parts['data.pkl'].slice();
    const at = pickle.findIndex(
      (byte, i) => byte === 0x4b && pickle[i + 1] === 192 && pickle[i + 2] === 0x4b,
    );
    pickle[at + 1] = 208;
    return refused(archive({ ...parts, 'data.pkl': pickle }), 'corrupt-file', /"W2" \(208×3×8×8\)/);
  });

  it('tells networks of Cellpose 1 to 3 and of others apart', () => {
    // The same file, its W2 under another name.
    const pickle = parts['data.pkl'].slice();
    const at = pickle.findIndex((byte, i) => byte === 0x57 && pickle[i + 1] === 0x32);
    pickle[at] = 0x56;
    return refused(
      archive({ ...parts, 'data.pkl': pickle }),
      'model',
      /not a checkpoint of Cellpose 4.*Cellpose 1 to 3/,
    );
  });

  it('tells other files by what they are', async () => {
    await refused(encode('\x80\x02}q\x00.'), 'unsupported', /PyTorch 1\.6 or later/);
    await refused(zipSync({ 'a/b.txt': encode('text') }), 'unsupported', /no data\.pkl/);
    await refused(new Uint8Array(0), 'unsupported', /not a checkpoint/);
    await refused(archive({ ...parts, byteorder: encode('big') }), 'unsupported', /big-endian/);
    await refused(
      archive({ ...parts, 'data.pkl': encode('\x80\x02K\x01.') }),
      'unsupported',
      /no named tensors/,
    );
  });
});
