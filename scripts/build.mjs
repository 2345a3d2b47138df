/**
 * Builds the package into dist/: every module lies flat in one folder, so that `import.meta.url` of any of them
 * finds the workers, wasm and models beside it without a bundler.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { build } from 'rolldown';
import { cp, glob, mkdir, readdir, rm } from './files.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');

/** Entry name in dist/ → source file. */
async function entries() {
  const files = {
    core: 'core/index.ts',
    exports: 'core/exports/index.ts',
    io: 'workers/io/index.ts',
    omero: 'core/omero/index.ts',
    segmentation: 'workers/segmentation/index.ts',
    'segmentation-client': 'workers/segmentation/client.ts',
    'model-library': 'workers/models/client.ts',
    training: 'workers/training/client.ts',
  };
  for (const name of ['all', 'cytopane']) files[name] = `components/${name}.ts`;
  for (const file of await glob(root, 'components', /^components\/([\w-]+)\/\1\.ts$/)) {
    files[named(file)] = file;
  }
  for (const file of await glob(root, 'components/define', /\.ts$/)) {
    files[`define-${named(file)}`] = file;
  }
  return Object.fromEntries(Object.entries(files).filter(([, file]) => existsSync(join(root, file))));
}

const named = (file) => basename(file, '.ts');
const CORE = { name: 'core', test: /\/core\/|\/comlink\/|\/workers\/\w+\.ts$/, priority: 2 };
const standIn = (name) => [join(root, 'scripts/node-globals.js'), name];

/** Rolldown does not lower standard decorators yet. */
const decorators = {
  name: 'decorators',
  transform: {
    filter: { id: /\/components\/.*\.ts$/ },
    handler: (code, sourcefile) =>
      transform(code, { loader: 'ts', target: 'es2022', sourcemap: 'external', sourcefile }),
  },
};

/**
 * What a page or worker needs at its start lies in few chunks: dozens of small ones cost more than they save where a
 * server sends six at a time. What is imported later stays apart.
 */
function options(input, prefix, groups) {
  return {
    cwd: root,
    input,
    platform: 'browser',
    external: /^node:/,
    moduleTypes: { '.css': 'text' },
    plugins: [decorators],
    output: {
      dir: dist,
      format: 'esm',
      sourcemap: true,
      minify: true,
      comments: { legal: true, annotation: false, jsdoc: false },
      entryFileNames: '[name].js',
      chunkFileNames: `${prefix}-[name]-[hash].js`,
      codeSplitting: { groups: groups.map((group) => ({ tags: ['$initial'], minShareCount: 2, ...group })) },
    },
  };
}

/** Builds the modules; workers apart, because the page entries get stand-ins for DOM globals in Node. */
async function modules() {
  const workers = await glob(root, 'workers', /\.worker\.ts$/);
  await Promise.all([
    build({
      ...options(await entries(), 'chunk', [
        CORE,
        { name: 'clients', test: /\/workers\//, priority: 1 },
        { name: 'elements', test: /\/components\/|\/node_modules\/(@?lit|uplot)/ },
      ]),
      transform: {
        target: 'es2022',
        inject: { HTMLElement: standIn('HTMLElement'), document: standIn('document') },
      },
    }),
    build({
      ...options(Object.fromEntries(workers.map((file) => [named(file), file])), 'worker-chunk', [CORE]),
      transform: { target: 'es2022' },
    }),
  ]);
}

/** The command line, which finds its libraries where the package manager has put them. */
const commandLine = () =>
  build({
    cwd: root,
    input: { cytopane: 'models/cpsam/cli.ts' },
    platform: 'node',
    external: /^[^./]/,
    output: {
      dir: join(dist, 'cli'),
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: '[name]-[hash].js',
    },
  });

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

/** The page for OMERO.web, which finds the modules one folder above itself. */
async function pages() {
  for (const file of ['index.html', 'omero.css', 'page.js', 'openwith.js'])
    await cp(join(root, 'demo/omero', file), join(dist, 'omero', file));
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
await Promise.all([modules(), commandLine(), assets(), pages()]);
if (!process.argv.includes('--no-types')) declarations();
