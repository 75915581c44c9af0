/** The writer of delivery status notifications, as the queue and intake know it. */

import { formatAddress } from '#base/address.ts';
import type { Domain, QueueId } from '#base/brand.ts';
import type { Random } from '#base/world.ts';
import type { NewMail, NewMailRecipient } from '../mail.ts';
import { type NoticeFacts, isWanted } from './facts.ts';
import { buildNotice } from './notice.ts';

export interface Notifier {
  /** How much of a message goes back with a notice; larger ones return their header only. */
  readonly returnBytes: number;
  /** The notice as a mail for intake; undefined when its addressee is none (`<>`). */
  notice(id: QueueId, facts: NoticeFacts): NewMail | undefined;
}

export interface NotifierOptions {
  readonly myhostname: Domain;
  readonly random: Random;
  /** Postfix' bounce_size_limit. */
  readonly returnBytes?: number;
}

const RETURN_BYTES = 51_200;
const RANDOM_BYTES = 18;

/** Makes the writer; it keeps nothing. */
export function makeNotifier(options: NotifierOptions): Notifier {
  const { myhostname, random, returnBytes = RETURN_BYTES } = options;
  return {
    returnBytes,
    notice: (id, facts) =>
      buildNotice(facts, { id, myhostname, random: random.bytes(RANDOM_BYTES) }),
  };
}

/**
 * The notice that mail is in the local mailboxes of `to`, for those of them who asked (RFC 3461
 * 5.2.3); undefined when nobody did or the mail is from `<>`. Intake calls it when it delivers.
 */
export function successNotice(
  notifier: Notifier,
  newId: () => QueueId,
  mail: NewMail,
  to: readonly NewMailRecipient[],
  nowMs: number,
): NewMail | undefined {
  const { reversePath } = mail;
  const asked = to.filter(({ notify }) => isWanted('delivered', notify));
  if (reversePath === null || asked.length === 0) return undefined;
  return notifier.notice(newId(), {
    kind: 'delivered',
    mail: {
      id: mail.id,
      envelope: { ...mail.envelope, reversePath: formatAddress(reversePath) },
      acceptedMs: nowMs,
    },
    recipients: asked.map(({ address, originalRecipient }) => ({
      address: formatAddress(address),
      originalRecipient,
      status: '2.1.5',
      reply: undefined,
      host: undefined,
      reason: '',
      expired: false,
      lastAttemptMs: undefined,
      retryUntilMs: undefined,
    })),
    original: {
      head: mail.content.head.subarray(0, notifier.returnBytes),
      cut: mail.content.head.length > notifier.returnBytes,
      body: undefined,
    },
    nowMs,
  });
}
