/** Writes custom-elements.json from the JSDoc of components/; `--check` fails when it is not current. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(root, 'custom-elements.json');
const scratch = mkdtempSync(join(tmpdir(), 'cytopane-manifest-'));

const packageJson = readFileSync(join(root, 'package.json'));
const cli = join(root, 'node_modules/@custom-elements-manifest/analyzer/cem.js');
const globs = ['components/**/*.ts', '--exclude', 'components/viewer/rendering/**'];
const { status, stdout, stderr } = spawnSync(
  process.execPath,
  [cli, 'analyze', '--litelement', '--globs', ...globs, '--outdir', join('..', ...scratchFromRoot())],
  { cwd: root, encoding: 'utf8' },
);
// The analyzer writes its outdir into package.json.
writeFileSync(join(root, 'package.json'), packageJson);
if (status !== 0) throw new Error(`The manifest could not be made.\n${stdout}\n${stderr}`);

/** The analyzer takes an outdir relative to the working folder only. */
function scratchFromRoot() {
  const depth = root.split('/').length - 2;
  return [...new Array(depth).fill('..'), ...scratch.split('/').filter(Boolean)];
}

const manifest = readFileSync(join(scratch, 'custom-elements.json'), 'utf8');
const text = `${JSON.stringify(JSON.parse(manifest), null, 2)}\n`;
if (!process.argv.includes('--check')) {
  writeFileSync(target, text);
} else if (readFileSync(target, 'utf8') !== text) {
  console.error('custom-elements.json is not current: run `npm run manifest` and commit the result.');
  process.exit(1);
}
