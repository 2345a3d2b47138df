import { CytoLabelTable } from '../label-table/label-table.ts';
import { register } from '../register.ts';

register('cyto-label-table', CytoLabelTable);
