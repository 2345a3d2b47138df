/**
 * Builds the package into dist/: every module lies flat in one folder, so that `import.meta.url` of any of them
 * finds the workers, wasm and models beside it without a bundler.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { cp, glob, mkdir, readdir, rm } from './files.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');

/** Entry name in dist/ → source file. */
async function entries() {
  const named = {
    core: 'core/index.ts',
    exports: 'core/exports/index.ts',
    io: 'workers/io/index.ts',
    segmentation: 'workers/segmentation/index.ts',
    'segmentation-client': 'workers/segmentation/client.ts',
    'model-library': 'workers/models/client.ts',
  };
  for (const name of ['all', 'cytopane']) named[name] = `components/${name}.ts`;
  for (const file of await glob(root, 'components', /^components\/([\w-]+)\/\1\.ts$/)) {
    named[basename(file, '.ts')] = file;
  }
  for (const file of await glob(root, 'components/define', /\.ts$/)) {
    named[`define-${basename(file, '.ts')}`] = file;
  }
  return Object.fromEntries(Object.entries(named).filter(([, file]) => existsSync(join(root, file))));
}

const shared = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  target: 'es2022',
  outdir: dist,
  splitting: true,
  sourcemap: true,
  minify: true,
  legalComments: 'linked',
  platform: 'browser',
  logLevel: 'warning',
  chunkNames: 'chunk-[name]-[hash]',
  external: ['node:*'],
  loader: { '.css': 'text' },
};

/** Builds the modules; workers apart, because the page entries get stand-ins for DOM globals in Node. */
async function modules() {
  const workers = await glob(root, 'workers', /\.worker\.ts$/);
  await Promise.all([
    build({ ...shared, entryPoints: await entries(), inject: ['scripts/node-globals.js'] }),
    build({
      ...shared,
      entryPoints: Object.fromEntries(workers.map((file) => [basename(file, '.ts'), file])),
      chunkNames: 'worker-chunk-[name]-[hash]',
    }),
  ]);
}

const PIPELINES = ['png', 'jpeg', 'bmp', 'nrrd', 'nifti', 'meta', 'mrc'];
const ORT_FILES = ['ort-wasm-simd-threaded', 'ort-wasm-simd-threaded.asyncify'];

async function assets() {
  const modulesDir = join(root, 'node_modules');
  for (const format of PIPELINES) {
    for (const suffix of ['js', 'wasm.zst']) {
      const file = `${format}-read-image.${suffix}`;
      await cp(join(modulesDir, '@itk-wasm/image-io/dist/pipelines', file), join(dist, 'pipelines', file));
    }
  }
  for (const file of ORT_FILES.flatMap((name) => [`${name}.mjs`, `${name}.wasm`])) {
    await cp(join(modulesDir, 'onnxruntime-web/dist', file), join(dist, 'ort', file));
  }
  const models = (await readdir(join(root, 'models'))).filter((model) =>
    existsSync(join(root, 'models', model, 'rdf.yaml')),
  );
  for (const model of models) await cp(join(root, 'models', model), join(dist, 'models', model));
  await writeFile(join(dist, 'models/index.json'), JSON.stringify(models));
}

/** Type declarations beside the modules they describe. */
function declarations() {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('Type declarations could not be made.');
}

await rm(dist);
await mkdir(dist);
await Promise.all([modules(), assets()]);
if (!process.argv.includes('--no-types')) declarations();
