import { register } from '../register.ts';
import { CytoTools } from '../tools/tools.ts';

register('cyto-tools', CytoTools);
