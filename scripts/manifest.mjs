/** Writes custom-elements.json from the JSDoc of components/; `--check` fails when it is not current. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(root, 'custom-elements.json');
const scratch = join(root, 'node_modules/.cache/cytopane-manifest');
mkdirSync(scratch, { recursive: true });

const packageJson = readFileSync(join(root, 'package.json'));
const cli = join(root, 'node_modules/@custom-elements-manifest/analyzer/cem.js');
const globs = ['components/**/*.ts', '--exclude', 'components/viewer/rendering/**'];
const { status, stdout, stderr } = spawnSync(
  process.execPath,
  [cli, 'analyze', '--litelement', '--globs', ...globs, '--outdir', relative(root, scratch)],
  { cwd: root, encoding: 'utf8' },
);
// The analyzer writes its outdir into package.json.
writeFileSync(join(root, 'package.json'), packageJson);
if (status !== 0) throw new Error(`The manifest could not be made.\n${stdout}\n${stderr}`);

const manifest = JSON.parse(readFileSync(join(scratch, 'custom-elements.json'), 'utf8'));
// The analyzer takes files in the order the file system gives them.
manifest.modules.sort((a, b) => (a.path < b.path ? -1 : 1));
for (const { declarations } of manifest.modules) {
  for (const declaration of declarations) {
    declaration.members = declaration.members?.filter((member) => member.privacy !== 'private');
    // Whole catalogues of texts and style sheets.
    if (declaration.kind === 'variable') delete declaration.default;
  }
}
const text = `${JSON.stringify(manifest, null, 2)}\n`;
if (!process.argv.includes('--check')) {
  writeFileSync(target, text);
} else if (readFileSync(target, 'utf8') !== text) {
  console.error('custom-elements.json is not current: run `npm run manifest` and commit the result.');
  process.exit(1);
}
