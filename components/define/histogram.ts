import { CytoHistogram } from '../histogram/histogram.ts';
import { register } from '../register.ts';

register('cyto-histogram', CytoHistogram);
