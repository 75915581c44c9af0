/** accept: a message for one or more recipients, the commit behind every 250. */

import { takeIn } from '../steps/delivery.ts';
import type { Run } from '../steps/step.ts';

export const accept: Run<'accept'> = (step, { acceptance }) => takeIn(step, acceptance);
