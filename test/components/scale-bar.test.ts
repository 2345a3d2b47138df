import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scaleBar, withUnit } from '../../components/viewer/scale-bar.ts';

describe('scale bar', () => {
  it('is the longest of 1, 2, 5 that fits', () => {
    assert.deepEqual(scaleBar(1, 'µm', 140), { width: 100, text: '100 µm' });
    assert.deepEqual(scaleBar(2, 'µm', 140), { width: 100, text: '50 µm' });
    assert.deepEqual(scaleBar(7, 'µm', 140), { width: 140, text: '20 µm' });
  });

  it('changes metric units with the magnification', () => {
    assert.equal(scaleBar(400, 'µm', 140)?.text, '200 nm');
    assert.equal(scaleBar(0.05, 'µm', 140)?.text, '2 mm');
    assert.equal(withUnit(0.5, 'mm'), '500 µm');
    assert.equal(withUnit(2, 'um'), '2 µm');
    assert.equal(withUnit(3, 'inch'), '3 inch');
  });

  it('counts whole pixels where nothing is calibrated', () => {
    assert.equal(scaleBar(2, 'px', 140)?.text, '50 px');
    assert.equal(scaleBar(1000, 'px', 140), undefined);
  });

  it('is absent where nothing can be shown', () => {
    assert.equal(scaleBar(0, 'µm', 140), undefined);
    assert.equal(scaleBar(1, 'µm', 0), undefined);
  });
});
