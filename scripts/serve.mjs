/**
 * Serves the repository for the demo: `npm start` builds and prints the address.
 * Options: --port N, --isolated (COOP/COEP headers, which allow WASM threads), --no-build.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startServer } from './static-server.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8080' },
    isolated: { type: 'boolean', default: true },
    build: { type: 'boolean', default: true },
  },
  allowNegative: true,
});

if (values.build || !existsSync(join(root, 'dist'))) {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts/build.mjs'), '--no-types'], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
const server = await startServer(root, { port: Number(values.port), isolated: values.isolated });
console.log(`Cytopane demo: ${server.origin}/demo/`);
