import './join-review.ts';
import './model-chooser.ts';
import './run-marks.ts';
import { register } from '../register.ts';
import { CytoSegmenter } from '../segmenter/segmenter.ts';

register('cyto-segmenter', CytoSegmenter);
