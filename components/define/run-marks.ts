import { register } from '../register.ts';
import { CytoRunMarks } from '../run-marks/run-marks.ts';

register('cyto-run-marks', CytoRunMarks);
