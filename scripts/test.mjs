/**
 * The whole check: lint and format, build, types, generated files, Node tests, browser tests, end-to-end tests.
 * The last line is `N passed, N failed`; each check that is not a test counts as one.
 * `npm test -- --only node|browser|e2e` runs one part on the present build.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findChromium } from './chromium.mjs';
import { glob } from './files.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({ options: { only: { type: 'string' } } });
const scratch = mkdtempSync(join(tmpdir(), 'cytopane-test-'));
/** A step that hangs fails. */
const STEP_LIMIT_MS = 12 * 60_000;
const total = { passed: 0, failed: 0, skipped: 0 };

function step(title, command, args, env = {}) {
  console.log(`\n— ${title}`);
  const started = Date.now();
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
    timeout: STEP_LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  console.log(
    `  ${title}: ${status === 0 ? 'ok' : `failed (${error?.message ?? status})`}, ${Math.round((Date.now() - started) / 1000)} s`,
  );
  return status === 0;
}

/** A check that passes or fails as a whole. */
function check(title, args) {
  total[step(title, process.execPath, args) ? 'passed' : 'failed']++;
}

/** A test runner that leaves its counts in a file. A runner that leaves none has failed. */
function suite(title, args, env = {}) {
  const file = join(scratch, `${title}.json`);
  const ok = step(title, process.execPath, args(file), { ...env, CYTOPANE_COUNT_FILE: file });
  const counts = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8'))
    : { passed: 0, failed: 1, skipped: 0 };
  for (const key of Object.keys(total)) total[key] += counts[key];
  if (!ok && counts.failed === 0) total.failed++;
}

const nodeTests = (files) => (file) => [
  '--import=tsx',
  '--test',
  '--test-reporter=spec',
  '--test-reporter-destination=stdout',
  '--test-reporter=./scripts/count-reporter.mjs',
  `--test-reporter-destination=${file}`,
  ...files,
];

const wants = (part) => values.only === undefined || values.only === part;
findChromium();

if (values.only === undefined) {
  check('lint and format', ['node_modules/@biomejs/biome/bin/biome', 'ci', '.']);
  check('build', ['scripts/build.mjs']);
  check('types', ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.json']);
  check('WebAssembly kernels are current', ['scripts/kernels.mjs', '--check']);
  check('custom-elements.json is current', ['scripts/manifest.mjs', '--check']);
}
const all = await glob(root, 'test', /\.test\.ts$/);
const inNode = all.filter((file) => !file.startsWith('test/e2e/'));
const endToEnd = all.filter((file) => file.startsWith('test/e2e/'));
if (wants('node') && inNode.length > 0) suite('node', nodeTests(inNode));
if (wants('browser')) suite('browser', () => ['node_modules/@web/test-runner/dist/bin.js']);
if (wants('e2e') && endToEnd.length > 0) suite('e2e', nodeTests(endToEnd));

rmSync(scratch, { recursive: true, force: true });
if (total.skipped > 0)
  console.log(`\n${total.skipped} skipped (their data is not on this machine; see above)`);
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);
