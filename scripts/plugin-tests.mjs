/**
 * Tests of the OMERO.web plug-in under real Django, and of the page with it. They need a Python with OMERO.web: the one
 * that CYTOPANE_PYTHON names, or the environment that `--install` makes once in test/.artifacts (from Python 3.10 to
 * 3.12; Ice is compiled, which takes minutes, a C++ compiler and the headers of bzip2 and OpenSSL). Without one they are
 * skipped.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const environment = join(root, 'test/.artifacts/plugin-python');
const own = join(environment, 'bin/python');

function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

const has = (python) => spawnSync(python, ['-c', 'import omeroweb, omero.gateway']).status === 0;
const candidates = [process.env.CYTOPANE_PYTHON, own, 'python3'].filter(Boolean);
let python = candidates.find(has);
if (!python && process.argv.includes('--install')) {
  const base = process.env.CYTOPANE_PYTHON ?? 'python3';
  if (!existsSync(own)) run(base, ['-m', 'venv', environment]);
  // Ice 3.6 is built by a setup script of its time.
  run(own, ['-m', 'pip', 'install', 'setuptools<70', 'wheel']);
  run(own, ['-m', 'pip', 'install', '--no-build-isolation', 'zeroc-ice==3.6.5']);
  run(own, ['-m', 'pip', 'install', 'omero-web>=5.31']);
  python = own;
}
if (!python) {
  console.log(
    'skipped: no Python with OMERO.web. Name one in CYTOPANE_PYTHON, or run "npm run test:plugin -- --install".',
  );
  process.exit(0);
}
run(python, ['-W', 'ignore', '-m', 'unittest', 'discover', '-v', 'tests'], {
  cwd: join(root, 'demo/omero/plugin'),
});
if (!existsSync(join(root, 'dist/omero'))) run(process.execPath, ['scripts/build.mjs', '--no-types']);
run(process.execPath, ['--import=tsx', '--test', 'test/omero-plugin/page.ts'], {
  env: { ...process.env, CYTOPANE_PYTHON: python },
});
