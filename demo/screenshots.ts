/** `npm run screenshots`: the pictures of the README, taken from the running demo. */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openStage, run, shown } from '../test/e2e/browser.ts';

const folder = fileURLToPath(new URL('screenshots/', import.meta.url));
mkdirSync(folder, { recursive: true });
const { page, origin, close } = await openStage({ isolated: true });
const settle = () => page.waitForTimeout(2500);

await page.goto(`${origin}/demo/`);
await shown(page, 'nuclei-2d.png');
await run(page);
await settle();
await page.screenshot({ path: `${folder}2d.png` });

await page.getByRole('button', { name: 'Mouse embryo, 3D' }).click();
await shown(page, 'embryo-3d.tif');
await page.emulateMedia({ colorScheme: 'dark' });
await run(page);
await settle();
await page.screenshot({ path: `${folder}ortho.png` });

await page.getByRole('button', { name: '3D', exact: true }).click();
await settle();
await page.screenshot({ path: `${folder}3d.png` });
await close();
