import { CytoLabels } from '../labels/labels.ts';
import { register } from '../register.ts';

register('cyto-labels', CytoLabels);
