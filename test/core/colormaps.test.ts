import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { colormapGradient, colormapTable, nearestColormap } from '../../core/colormaps.ts';
import { COLORMAPS } from '../../core/layer.ts';

const color = (name: (typeof COLORMAPS)[number], index: number) => [
  ...colormapTable(name).subarray(index * 4, index * 4 + 4),
];

describe('colour tables', () => {
  it('exist for every name, opaque, 256 entries, made once', () => {
    for (const name of COLORMAPS) {
      const table = colormapTable(name);
      assert.equal(table.length, 1024, name);
      assert.ok(
        table.every((value, i) => i % 4 !== 3 || value === 255),
        name,
      );
      assert.equal(colormapTable(name), table);
      assert.match(colormapGradient(name), /^linear-gradient\(to right, rgb\(/);
    }
  });

  it('have the published colours', () => {
    assert.deepEqual(color('gray', 128), [128, 128, 128, 255]);
    assert.deepEqual(color('magenta', 255), [255, 0, 255, 255]);
    assert.deepEqual(color('viridis', 0), [0x44, 0x01, 0x54, 255]);
    assert.deepEqual(color('viridis', 120), [0x23, 0x89, 0x8e, 255]);
    assert.deepEqual(color('viridis', 255), [0xfd, 0xe7, 0x25, 255]);
    assert.deepEqual(color('inferno', 255), [0xfc, 0xff, 0xa4, 255]);
    assert.deepEqual(color('turbo', 255), [0x7a, 0x04, 0x02, 255]);
    assert.deepEqual(color('cividis', 0), [0x00, 0x22, 0x4e, 255]);
    assert.deepEqual(color('cividis', 255), [0xfe, 0xe8, 0x38, 255]);
    assert.deepEqual(color('magma', 255), [0xfc, 0xfd, 0xbf, 255]);
  });

  it('grow brighter from low to high where they are meant to', () => {
    for (const name of COLORMAPS) {
      if (name === 'turbo' || name === 'gray-inverted') continue;
      let last = -1;
      for (let i = 0; i < 256; i++) {
        const [r, g, b] = color(name, i);
        const light = 0.2126 * r + 0.7152 * g + 0.0722 * b;
        assert.ok(light >= last - 0.6, `${name} at ${i}`);
        last = light;
      }
    }
  });

  it('are found by the colour that a file states', () => {
    assert.equal(nearestColormap('#00FF00'), 'green');
    assert.equal(nearestColormap('#0000ff'), 'blue');
    assert.equal(nearestColormap('#ff2010'), 'red');
    assert.equal(nearestColormap('#ffffff'), 'gray');
    assert.equal(nearestColormap('#000000'), 'gray');
    assert.equal(nearestColormap('#d0ff00'), 'yellow');
    assert.equal(nearestColormap('nonsense'), 'gray');
  });
});
