import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { automaticWindow, contrastWindow, sampleHistogram } from '../../core/contrast.ts';
import { createVolume } from '../../core/volume.ts';

describe('automatic contrast', () => {
  it('spans the 0.5 to 99.5 percentiles', () => {
    const ramp = Uint16Array.from({ length: 1001 }, (_, i) => i);
    assert.deepEqual(automaticWindow(ramp), [5, 995]);
  });

  it('looks at large images only here and there, and is close to the whole', () => {
    const data = new Uint16Array(2048 * 1024);
    for (let i = 0; i < data.length; i++) data[i] = ((i * 2_654_435_761) >>> 16) & 0xfff;
    const [low, high] = automaticWindow(data);
    assert.ok(Math.abs(low - 20) < 6 && Math.abs(high - 4075) < 6, `${low} ${high}`);
  });

  it('is never empty', () => {
    assert.deepEqual(automaticWindow(new Uint8Array(100)), [0, 1]);
    assert.deepEqual(automaticWindow(new Uint8Array(100).fill(7)), [7, 8]);
    const few = new Uint8Array(10_000);
    few[5000] = 200;
    assert.deepEqual(automaticWindow(few), [0, 200]);
  });

  it('leaves out what is not a number', () => {
    assert.deepEqual(automaticWindow(Float32Array.of(Number.NaN, 1, 2, Number.POSITIVE_INFINITY)), [1, 2]);
    assert.deepEqual(automaticWindow(Float32Array.of(Number.NaN)), [0, 1]);
  });

  it('is made per channel, once, and gives way to a stated window', () => {
    const volume = createVolume({
      data: Uint8Array.from({ length: 200 }, (_, i) => i),
      shape: [2, 1, 10, 10],
    });
    assert.deepEqual(contrastWindow(volume, 0, 'auto'), [0, 99]);
    assert.deepEqual(contrastWindow(volume, 1, 'auto'), [100, 199]);
    assert.equal(contrastWindow(volume, 1, 'auto'), contrastWindow(volume, 1, 'auto'));
    assert.deepEqual(contrastWindow(volume, 1, [3, 4]), [3, 4]);
  });

  it('leaves out as many percent as asked for', () => {
    const ramp = Uint16Array.from({ length: 1001 }, (_, i) => i);
    const volume = createVolume({ data: ramp, shape: [1, 1001] });
    assert.deepEqual(contrastWindow(volume, 0, 'auto', 5), [50, 950]);
    assert.deepEqual(contrastWindow(volume, 0, 'auto', 0), [0, 1000]);
    assert.deepEqual(contrastWindow(volume, 0, 'auto'), [5, 995]);
  });

  it('comes with a histogram of its samples', () => {
    const data = Float32Array.of(-1, -1, 0, 1, 3, Number.NaN);
    const volume = createVolume({ data, shape: [1, 6] });
    const { range, counts } = sampleHistogram(volume, 0, 4);
    assert.deepEqual(range, [-1, 3]);
    assert.deepEqual([...counts], [2, 1, 1, 1]);
    const even = createVolume({ data: new Uint8Array(9), shape: [3, 3] });
    assert.deepEqual([...sampleHistogram(even, 0, 2).counts], [9, 0]);
  });

  it('shows 8-bit colours as they are', () => {
    const rgb = createVolume({ data: new Uint8Array(12), shape: [3, 1, 2, 2], rgb: true });
    assert.deepEqual(contrastWindow(rgb, 0, 'auto'), [0, 255]);
  });
});
