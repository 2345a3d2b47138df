import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { chromiumFlags, findChromium } from '../../scripts/chromium.mjs';
import { startServer } from '../../scripts/static-server.mjs';

export const repository = fileURLToPath(new URL('../../', import.meta.url));

/** A browser and a plain static server of the repository, without or with cross-origin isolation. */
export interface Stage {
  origin: string;
  page: Page;
  /** Uncaught errors and failed requests of the page so far. */
  problems: string[];
  close(): Promise<void>;
}

export interface StageOptions {
  isolated?: boolean;
  /** Further command line flags of Chromium. */
  flags?: string[];
  /** Further folders to serve: address prefix → folder. */
  mounts?: Record<string, string>;
}

export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const { isolated = false, mounts = {} } = options;
  const server = await startServer({ '/': repository, ...mounts }, { isolated });
  const browser: Browser = await chromium.launch({
    executablePath: findChromium(),
    args: [...chromiumFlags, ...(options.flags ?? [])],
  });
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, locale: 'en-GB' });
  page.setDefaultTimeout(60_000);
  // The test runner's compiler names functions with it, in those that go to the page as well.
  await page.addInitScript('globalThis.__name = (named) => named');
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  return {
    origin: server.origin,
    page,
    problems,
    close: async () => {
      await browser.close();
      await server.close();
    },
  };
}

/** Drops a file onto the workbench, as a user would. */
export async function dropFile(page: Page, name: string, bytes: Uint8Array): Promise<void> {
  await page.evaluate(
    ({ name, base64 }) => {
      const data = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([data], name));
      const target = document.querySelector('cyto-workbench');
      target?.dispatchEvent(
        new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }),
      );
    },
    { name, base64: Buffer.from(bytes).toString('base64') },
  );
}

/** Result of a run: label ids as numbers, and what the page's event said. */
export interface RunOutcome {
  labels: number[];
  count: number;
  threads: number;
  backend: string;
}

/** Presses Run and waits for the labels. */
export async function run(page: Page): Promise<RunOutcome> {
  const done = page.evaluate(
    () =>
      new Promise<{ count: number; threads: number; backend: string }>((resolve, reject) => {
        document.addEventListener(
          'cyto-run',
          (event) => {
            const { count, backend } = (event as CustomEvent).detail;
            resolve({ count, threads: backend.threads, backend: backend.kind });
          },
          { once: true },
        );
        document.addEventListener(
          'error',
          (event) => reject(new Error((event as Event as CustomEvent).detail?.message)),
          {
            once: true,
          },
        );
      }),
  );
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  const detail = await done;
  const labels = await page.evaluate(() => {
    const workbench = document.querySelector('cyto-workbench');
    return [...(workbench?.viewer.model.labels.at(-1)?.labels.data ?? [])];
  });
  return { ...detail, labels };
}

/** Waits until the workbench shows the image of this name and Run can be pressed. */
export async function shown(page: Page, name: string): Promise<void> {
  await page.waitForFunction((wanted) => {
    const workbench = document.querySelector('cyto-workbench');
    return workbench?.viewer?.model.images.some((layer) => layer.volume.name === wanted);
  }, name);
  await page.waitForFunction(() => {
    const button = document.querySelector('cyto-workbench')?.segmenter.renderRoot.querySelector('[part=run]');
    return button instanceof HTMLButtonElement && !button.disabled;
  });
}
