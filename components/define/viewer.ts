import { register } from '../register.ts';
import { CytoViewer } from '../viewer/viewer.ts';

register('cyto-viewer', CytoViewer);
