import { CytoCutOut } from '../cut-out/cut-out.ts';
import { register } from '../register.ts';

register('cyto-cut-out', CytoCutOut);
