import { CytoImage } from '../image/image.ts';
import { register } from '../register.ts';

register('cyto-image', CytoImage);
