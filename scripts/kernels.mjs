/**
 * Compiles the AssemblyScript kernels into workers/segmentation/kernels/kernels-module.ts, which is checked in so that
 * sources run without a build; `--check` fails when it is not current.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(root, 'workers/segmentation/kernels/kernels-module.ts');
const scratch = join(root, 'node_modules/.cache/cytopane-kernels');
mkdirSync(scratch, { recursive: true });

async function compile(name, flags) {
  const file = join(scratch, `${name}.wasm`);
  const { error, stderr } = await asc.main([
    join(root, 'workers/segmentation/kernels/assembly/kernels.ts'),
    ...['-o', file, '-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '--use', 'abort='],
    ...['--enable', 'simd', '--enable', 'bulk-memory', ...flags],
  ]);
  if (error) throw new Error(`The kernels do not compile.\n${stderr.toString()}`);
  return readFileSync(file).toString('base64');
}

const own = await compile('kernels', []);
const shared = await compile('kernels-shared', [
  '--enable',
  'threads',
  '--sharedMemory',
  '--maximumMemory',
  '65536',
]);
const text = `/** Made by scripts/kernels.mjs from assembly/kernels.ts: do not edit. Base64 of WebAssembly modules. */

/** Imports a memory of its own. */
export const KERNELS =
  '${own}';

/** The same code, importing a memory that is shared with other threads. */
export const SHARED_KERNELS =
  '${shared}';
`;
if (!process.argv.includes('--check')) {
  writeFileSync(target, text);
} else if (readFileSync(target, 'utf8') !== text) {
  console.error('kernels-module.ts is not current: run `npm run kernels` and commit the result.');
  process.exit(1);
}
