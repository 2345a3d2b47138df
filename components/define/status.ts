import { register } from '../register.ts';
import { CytoStatus } from '../status/status.ts';

register('cyto-status', CytoStatus);
