import { register } from '../register.ts';
import { CytoToolbar } from '../toolbar/toolbar.ts';

register('cyto-toolbar', CytoToolbar);
