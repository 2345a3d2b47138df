import { expect } from '@open-wc/testing';
import { type Calibration, createVolume } from 'cytopane/core.js';
import { render } from 'lit';
import { de } from '../../components/localization/de.ts';
import { en } from '../../components/localization/en.ts';
import { type RunForm, runFields } from '../../components/segmenter/run-fields.ts';
import { runSummary } from '../../components/segmenter/run-report.ts';
import { parametersFor, type RunSettings } from '../../components/segmenter/settings.ts';

const SETTINGS: RunSettings = {
  mode: '3d',
  diameter: undefined,
  channel: undefined,
  anisotropy: undefined,
  combineViews: 'mean',
  box: undefined,
  allTimes: false,
  linkThreshold: 0.25,
  backend: 'auto',
  server: undefined,
  cellprobThreshold: undefined,
  flowThreshold: 0.4,
  minSize: 15,
  stitchThreshold: 0.25,
  skipPlane: false,
  flowSmoothing: 1,
};

function stack(calibration?: Calibration) {
  return createVolume({
    data: new Uint8Array(4 * 8 * 8),
    shape: [4, 8, 8],
    ...(calibration ? { calibration } : {}),
  });
}

/** The field of the anisotropy as it is shown. */
function field(form: Partial<RunForm>): HTMLInputElement {
  const none = () => {};
  const full: RunForm = {
    settings: { ...SETTINGS },
    image: stack(),
    texts: en,
    anisotropyUsed: undefined,
    cost: () => ({ tiles: 1, bytes: 1, fits: true }),
    timeTile: undefined,
    ring: false,
    toggleRing: none,
    drawing: false,
    toggleDrawing: none,
    ...form,
  };
  const place = document.createElement('div');
  render(runFields(full), place);
  return place.querySelector<HTMLInputElement>('#anisotropy')!;
}

const CALIBRATED = stack({ spacing: [0.9, 0.3, 0.3], unit: 'µm', calibrated: true });

describe('the field of z step over xy step', () => {
  it('shows what the file tells, which a run then takes', () => {
    const { value, title } = field({ image: CALIBRATED, anisotropyUsed: 3 });
    expect([value, title]).eql(['3.00', 'from the file: 3.00']);
    expect(parametersFor(SETTINGS, CALIBRATED).anisotropy).closeTo(3, 1e-9);
    expect(parametersFor({ ...SETTINGS, anisotropy: 2 }, CALIBRATED).anisotropy).equal(2);
  });

  it('is left to the run where the file tells nothing, and then shows what that has used', () => {
    const before = field({});
    expect([before.value, before.placeholder]).eql(['', 'automatic']);
    expect(before.title).contain('estimated');
    expect('anisotropy' in parametersFor(SETTINGS, stack())).equal(false);
    expect(field({ anisotropyUsed: 1.31 }).placeholder).equal('1.31');
    expect(field({ settings: { ...SETTINGS, combineViews: 'sum' } }).placeholder).equal('1.00');
  });

  it('takes what the user gives, and leaves it to the run again when emptied', () => {
    const settings = { ...SETTINGS };
    const input = field({ settings });
    input.value = '2.5';
    input.dispatchEvent(new Event('change'));
    expect(settings.anisotropy).equal(2.5);
    expect(field({ settings, anisotropyUsed: 1.31 }).value).equal('2.50');
    input.value = '';
    input.dispatchEvent(new Event('change'));
    expect(settings.anisotropy).equal(undefined);
  });
});

describe('the report of a run', () => {
  it('says that z step over xy step was estimated, and which', () => {
    const told = (texts: typeof en, estimatedAnisotropy?: number) => {
      const place = document.createElement('div');
      const result = {
        shape: [4, 8, 8],
        count: 3,
        milliseconds: 10,
        backend: { kind: 'wasm', threads: 1, verified: true, refusals: [] },
        parameters: { ...parametersFor(SETTINGS, stack()) },
        model: { id: 'default', sha256: '' },
        ...(estimatedAnisotropy ? { estimatedAnisotropy } : {}),
      } as unknown as Parameters<typeof runSummary>[0];
      render(runSummary(result, texts), place);
      return place.textContent!;
    };
    expect(told(en, 1.31)).contain('z step / xy step: 1.31, estimated');
    expect(told(de, 1.31)).contain('1,31, nach den Zellen geschätzt');
    expect(told(en)).not.contain('z step');
  });
});
