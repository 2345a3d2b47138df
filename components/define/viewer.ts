import { CytoViewer } from '../viewer/viewer.ts';
import { register } from './register.ts';

register('cyto-viewer', CytoViewer);
