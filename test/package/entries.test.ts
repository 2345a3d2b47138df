import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

const root = new URL('../../', import.meta.url);
const modules = readdirSync(new URL('dist/', root)).filter(
  (file) => file.endsWith('.js') && !file.includes('chunk-') && !file.endsWith('.worker.js'),
);

describe('the built package', () => {
  it('has modules to import', () => assert.ok(modules.length >= 5, modules.join(', ')));

  for (const file of modules) {
    it(`${file} can be imported in Node`, async () => {
      const exported = await import(new URL(`dist/${file}`, root).href);
      const registersOnly = file.startsWith('define-') || file === 'cytopane.js';
      assert.equal(Object.keys(exported).length > 0, !registersOnly);
    });
  }

  it('names no foreign origin to load from', () => {
    for (const file of readdirSync(new URL('dist/', root)).filter((name) => name.endsWith('.js'))) {
      const text = readFileSync(new URL(`dist/${file}`, root), 'utf8');
      assert.doesNotMatch(text, /import\s*\(?\s*["']https?:/, `${file} imports from another origin`);
    }
  });
});
