import { CytoJoinReview } from '../join-review/join-review.ts';
import { register } from '../register.ts';

register('cyto-join-review', CytoJoinReview);
