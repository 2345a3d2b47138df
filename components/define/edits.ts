import { CytoEdits } from '../edits/edits.ts';
import { register } from '../register.ts';

register('cyto-edits', CytoEdits);
