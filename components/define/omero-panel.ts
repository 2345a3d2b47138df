import { CytoOmeroPanel } from '../omero-panel/omero-panel.ts';
import { register } from '../register.ts';

register('cyto-omero-panel', CytoOmeroPanel);
