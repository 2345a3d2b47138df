import { CytoModelChooser } from '../model-chooser/model-chooser.ts';
import { register } from '../register.ts';

register('cyto-model-chooser', CytoModelChooser);
