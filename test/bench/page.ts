/**
 * `npm run bench`: what a visitor of the demo waits for and downloads, and the speed of segmentation, in headless
 * Chromium from a local server. Times are this machine's; the ratios compare runs of the same minute.
 */
import { cpus, totalmem } from 'node:os';
import { openStage, run, type Stage, shown } from '../e2e/browser.ts';

const RUNS = 3;
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];
const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(2)} MiB`;

/** Counts the bytes of every finished request as they went over the wire, those of workers included. */
async function countBytes({ page }: Stage): Promise<{ bytes: number }> {
  const counted = { bytes: 0 };
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  page.context().on('requestfinished', (request) => {
    request
      .sizes()
      .then(({ responseBodySize, responseHeadersSize }) => {
        counted.bytes += responseBodySize + responseHeadersSize;
      })
      .catch((error: Error) => console.warn(error.message));
  });
  return counted;
}

const visits: { paint: number; interactive: number; beforePaint: number; beforeRun: number }[] = [];
for (let visit = 0; visit < RUNS; visit++) {
  const stage = await openStage();
  const { page, origin } = stage;
  const counted = await countBytes(stage);
  const begin = performance.now();
  await page.goto(`${origin}/demo/`);
  await shown(page, 'nuclei-2d.png');
  const interactive = performance.now() - begin;
  await page.waitForLoadState('networkidle');
  const [paint, beforePaint] = await page.evaluate(() => {
    const painted = performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN;
    const fetched = [
      ...performance.getEntriesByType('navigation'),
      ...performance.getEntriesByType('resource'),
    ] as PerformanceResourceTiming[];
    const earlier = fetched.filter(({ responseEnd }) => responseEnd <= painted);
    return [painted, earlier.reduce((sum, { transferSize }) => sum + transferSize, 0)] as const;
  });
  visits.push({ paint, interactive, beforePaint, beforeRun: counted.bytes });
  await stage.close();
}

/** Seconds per megapixel of a second run, when model and session are there. */
async function speed(isolated: boolean): Promise<{ secondsPerMegapixel: number; threads: number }> {
  const stage = await openStage({ isolated });
  const { page, origin } = stage;
  await page.goto(`${origin}/demo/`);
  await shown(page, 'nuclei-2d.png');
  const { threads, labels } = await run(page);
  const times: number[] = [];
  for (let k = 0; k < RUNS; k++) {
    const milliseconds = page.evaluate(
      () =>
        new Promise<number>((resolve) =>
          document.addEventListener(
            'cyto-run',
            (event) => resolve((event as CustomEvent<{ milliseconds: number }>).detail.milliseconds),
            { once: true },
          ),
        ),
    );
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    times.push((await milliseconds) / 1000);
  }
  await stage.close();
  return { secondsPerMegapixel: median(times) / (labels.length / 1e6), threads };
}
const single = await speed(false);
const threaded = await speed(true);

const [cpu] = cpus();
console.log(
  `${cpus().length} × ${cpu?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, no GPU, local server`,
);
console.log(`first paint                  ${Math.round(median(visits.map(({ paint }) => paint)))} ms`);
console.log(
  `interactive (image, Run)     ${Math.round(median(visits.map(({ interactive }) => interactive)))} ms`,
);
console.log(
  `downloaded before paint      ${mebibytes(median(visits.map(({ beforePaint }) => beforePaint)))}`,
);
console.log(`downloaded before first Run  ${mebibytes(median(visits.map(({ beforeRun }) => beforeRun)))}`);
console.log(`segmentation, 1 thread       ${single.secondsPerMegapixel.toFixed(2)} s per megapixel`);
console.log(
  `segmentation, ${threaded.threads} threads      ${threaded.secondsPerMegapixel.toFixed(2)} s per megapixel (ratio ${(threaded.secondsPerMegapixel / single.secondsPerMegapixel).toFixed(2)})`,
);
