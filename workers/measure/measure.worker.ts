import { type MeasurementInput, type Measurements, measureLabels } from '../../core/measure/measurements.ts';
import { moving, serve } from '../serve.ts';

serve({
  measure(input: MeasurementInput): Measurements {
    const measurements = measureLabels(input);
    const buffers = Object.values(measurements.values).map(({ buffer }) => buffer as ArrayBuffer);
    return moving(measurements, [measurements.ids.buffer as ArrayBuffer, ...buffers]);
  },
});
