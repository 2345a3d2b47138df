import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { esbuildPlugin } from '@web/dev-server-esbuild';
import { defaultReporter, summaryReporter } from '@web/test-runner';
import { chromeLauncher } from '@web/test-runner-chrome';
import { chromiumFlags, findChromium, webgpuFlags } from './scripts/chromium.mjs';
import { countReporter } from './scripts/count-reporter.mjs';

/** Component and worker tests run in a real browser against the built package (`cytopane/…`). */
export default {
  rootDir: fileURLToPath(new URL('.', import.meta.url)),
  files: ['test/**/*.browser.ts'],
  concurrency: 1,
  concurrentBrowsers: 1,
  nodeResolve: { exportConditions: ['browser', 'import', 'default'], browser: true },
  browsers: [
    chromeLauncher({
      launchOptions: { executablePath: findChromium(), args: [...chromiumFlags, ...webgpuFlags] },
    }),
  ],
  plugins: [
    esbuildPlugin({
      ts: true,
      tsconfig: fileURLToPath(new URL('tsconfig.json', import.meta.url)),
      target: 'es2022',
    }),
  ],
  middleware: [
    function crossOriginIsolation(context, next) {
      context.set('Cross-Origin-Opener-Policy', 'same-origin');
      context.set('Cross-Origin-Embedder-Policy', 'require-corp');
      return next();
    },
    /** The inference runtime as it is: the server would rewrite imports that only Node takes. */
    function untransformed(context, next) {
      if (!/^\/dist\/ort\/[\w.-]+\.mjs$/.test(context.path)) return next();
      context.type = 'text/javascript';
      context.body = createReadStream(fileURLToPath(new URL(`.${context.path}`, import.meta.url)));
    },
  ],
  testFramework: { config: { timeout: 120_000 } },
  testsStartTimeout: 60_000,
  testsFinishTimeout: 300_000,
  reporters: [
    summaryReporter({ flatten: true }),
    defaultReporter({ reportTestProgress: false }),
    countReporter(process.env.CYTOPANE_COUNT_FILE),
  ],
};
