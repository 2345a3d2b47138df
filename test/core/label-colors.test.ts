import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LABEL_COLOR_GLSL, labelColor, labelCssColor } from '../../core/label-colors.ts';

const distance = (a: readonly number[], b: readonly number[]) =>
  Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);

describe('label colours', () => {
  it('depend on id and seed alone', () => {
    assert.deepEqual(labelColor(7, 3), labelColor(7, 3));
    assert.notDeepEqual(labelColor(7, 3), labelColor(7, 4));
    assert.deepEqual(labelColor(0, 9), [0, 0, 0]);
    assert.equal(labelCssColor(1), `rgb(${labelColor(1).join(' ')})`);
  });

  it('differ for ids beyond 16 bits', () => {
    for (const id of [1, 255, 65_535]) {
      assert.notDeepEqual(labelColor(id), labelColor(id + 65_536));
      assert.notDeepEqual(labelColor(id), labelColor(id + 256));
    }
    assert.notDeepEqual(labelColor(0xffff_fffe), labelColor(0xffff_fffd));
  });

  it('are bright enough on black and never equal for ids that are close', () => {
    let nearest = Number.POSITIVE_INFINITY;
    for (const start of [1, 1000, 70_000, 4_000_000_000]) {
      for (let id = start; id < start + 300; id++) {
        const own = labelColor(id);
        assert.ok(Math.max(...own) >= 178);
        for (let other = id + 1; other <= id + 30; other++) {
          nearest = Math.min(nearest, distance(own, labelColor(other)));
        }
      }
    }
    assert.ok(nearest > 12, `nearest pair is ${nearest} apart`);
  });

  it('are spread over all hues', () => {
    const bins = new Array(12).fill(0);
    for (let id = 1; id <= 1200; id++) {
      const [r, g, b] = labelColor(id);
      const high = Math.max(r, g, b);
      const range = high - Math.min(r, g, b);
      const sector =
        high === r ? ((g - b) / range + 6) % 6 : high === g ? (b - r) / range + 2 : (r - g) / range + 4;
      bins[Math.min(11, Math.floor(sector * 2))]++;
    }
    assert.ok(Math.min(...bins) > 80 && Math.max(...bins) < 120, bins.join(' '));
  });

  it('are told to the device by the same numbers', () => {
    assert.match(LABEL_COLOR_GLSL, /vec3 labelColor\(uint id, uint seed\)/);
    assert.match(LABEL_COLOR_GLSL, new RegExp(`${0xd1b54a33}u`));
  });
});
