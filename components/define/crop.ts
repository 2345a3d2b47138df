import { CytoCrop } from '../crop/crop.ts';
import { register } from '../register.ts';

register('cyto-crop', CytoCrop);
