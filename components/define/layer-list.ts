import './histogram.ts';
import { CytoLayerList } from '../layer-list/layer-list.ts';
import { register } from '../register.ts';

register('cyto-layer-list', CytoLayerList);
