import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { reductionFor, samplesPerPixel } from '../../components/viewer/rendering/reduced-picture.ts';

const slice = { width: 1000, height: 601 };
const PANE = 640 * 480;

describe('how a plane is reduced before it is drawn smaller', () => {
  it('by whole steps, of which the last pixels may be less', () => {
    assert.deepEqual(reductionFor(slice, [2.7, 2.7], PANE), {
      width: 500,
      height: 301,
      step: [2, 2],
      samples: [2, 2],
    });
    assert.deepEqual(reductionFor(slice, [1.4, 3.2], PANE)?.step, [1, 3]);
  });

  it('not where it is as large as its picture, or magnified along an axis', () => {
    assert.equal(reductionFor(slice, [1, 1.005], PANE), undefined);
    assert.equal(reductionFor(slice, [0.5, 0.5], PANE), undefined);
    assert.equal(reductionFor(slice, [2, 0.5], PANE), undefined);
  });

  it('not where much more of it lies outside the pane than in it', () => {
    assert.equal(reductionFor({ width: 8000, height: 8000 }, [1.5, 1.5], PANE), undefined);
  });

  it('looks at every sample of a pixel, of very many at some', () => {
    assert.deepEqual(samplesPerPixel([1, 1]), [1, 1]);
    assert.deepEqual(samplesPerPixel([1.5, 3]), [2, 3]);
    assert.deepEqual(samplesPerPixel([40, 1]), [6, 1]);
  });
});
