import { register } from '../register.ts';
import { CytoTrainer } from '../trainer/trainer.ts';

register('cyto-trainer', CytoTrainer);
