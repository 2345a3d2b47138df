import { CytoDims } from '../dims/dims.ts';
import { register } from '../register.ts';

register('cyto-dims', CytoDims);
