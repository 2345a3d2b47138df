import './edits.ts';
import './tools.ts';
import './crop.ts';
import './cut-out.ts';
import './dims.ts';
import './export-menu.ts';
import './image.ts';
import './label-table.ts';
import './labels.ts';
import './layer-list.ts';
import './segmenter.ts';
import './status.ts';
import './toolbar.ts';
import './viewer.ts';
import { register } from '../register.ts';
import { CytoWorkbench } from '../workbench/workbench.ts';

register('cyto-workbench', CytoWorkbench);
