import { CytoExportMenu } from '../export-menu/export-menu.ts';
import { register } from '../register.ts';

register('cyto-export-menu', CytoExportMenu);
