/** The writer of delivery status notifications, as the queue and intake know it. */

import type { QueueId } from '#base/brand.ts';
import type { NewMail } from '../mail.ts';
import type { NoticeFacts } from './facts.ts';

export interface Notifier {
  /** How much of a message goes back with a notice; larger ones return their header only. */
  readonly returnBytes: number;
  /** The notice as a mail for intake; undefined when its addressee is none (`<>`). */
  notice(id: QueueId, facts: NoticeFacts): NewMail | undefined;
}
