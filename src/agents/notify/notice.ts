/** One delivery status notification, from facts to octets (RFC 3461 6, RFC 3464, RFC 6522). */

import { formatAddress, isInternational, parseAddress } from '#base/address.ts';
import type { Domain, QueueId } from '#base/brand.ts';
import { composeMessage, reportPart, textPart } from '#message/compose.ts';
import { formatDate } from '#message/date.ts';
import {
  type FieldText,
  formatMailboxes,
  formatStructured,
  formatText,
} from '#message/field-text.ts';
import { firstField, readHead } from '#message/fields.ts';
import { parseMessageId } from '#message/ids.ts';
import { RelayPermit } from '#policy/relay.ts';
import type { NewMail } from '../mail.ts';
import type { NoticeFacts } from './facts.ts';
import { letter, subjectOf } from './letter.ts';
import { returnedPart } from './returned.ts';
import { statusPart } from './status-fields.ts';

export interface Writer {
  /** Our name: in From, Message-ID and Reporting-MTA. */
  readonly myhostname: Domain;
  /** The queue id of the notice itself. */
  readonly id: QueueId;
  /** At least 12 octets that nobody can foresee: no remote answer can end a part of ours. */
  readonly random: Uint8Array;
}

const REFERENCE_CHARACTERS = 250;

/**
 * The notice as a mail from `<>` (RFC 3461 6.1) to the sender of the message it is about, who is
 * asked for no notice about it (NOTIFY=NEVER). Undefined when there is nobody to tell: never is a
 * notice written about mail from `<>` (RFC 5321 4.5.5). It travels by SMTPUTF8 only when the
 * sender's own address needs that; everything else is put in 7 bits, so that it arrives.
 */
export function buildNotice(facts: NoticeFacts, writer: Writer): NewMail | undefined {
  const { mail, kind } = facts;
  const sender = parseAddress(mail.envelope.reversePath);
  if (sender === undefined || facts.recipients.length === 0) return undefined;
  const { id, myhostname } = writer;
  const wide = isInternational(sender);
  const status = statusPart(facts, myhostname, wide);
  const isGlobal = status.eightBit;
  const report = reportPart(
    {
      type: isGlobal ? 'global-delivery-status' : 'delivery-status',
      human: textPart(letter(facts, myhostname)),
      machine: status,
      about: returnedPart(facts, wide),
    },
    writer.random,
  );
  const fields = headFields(facts, writer, formatAddress(sender), wide);
  const { head, body, eightBit } = composeMessage(fields, report);
  return {
    id,
    origin: 'notice',
    reversePath: null,
    recipients: [
      {
        address: sender,
        permit: RelayPermit.ownNotice(),
        notify: [],
        originalRecipient: undefined,
      },
    ],
    content: { head, body },
    structure: undefined,
    messageId: `${id}@${myhostname}`,
    envelope: {
      ret: undefined,
      envelopeId: undefined,
      smtpUtf8: wide,
      body: eightBit ? '8bitmime' : '7bit',
      // RFC 8689 5: the notice is protected, or not, as what it speaks of.
      ...(mail.envelope.tls === undefined ? {} : { tls: mail.envelope.tls }),
    },
    session: undefined,
    submitter: undefined,
    facts: { about: mail.id, kind, recipients: facts.recipients.map(({ address }) => address) },
  };
}

function headFields(
  facts: NoticeFacts,
  { id, myhostname }: Writer,
  to: string,
  wide: boolean,
): FieldText[] {
  const from = { name: 'Mail Delivery System', address: `MAILER-DAEMON@${myhostname}` };
  const fields = [
    formatStructured('Date', formatDate(facts.nowMs)),
    formatMailboxes('From', [from]),
    formatStructured('To', `<${to}>`, { utf8: wide }),
    formatText('Subject', subjectOf(facts)),
    formatStructured('Message-ID', `<${id}@${myhostname}>`),
    // RFC 3834 5: answers of a machine say so, and no machine answers them.
    formatStructured('Auto-Submitted', 'auto-replied'),
  ];
  const about = messageIdOf(facts);
  if (about === undefined) return fields;
  const reference = `<${about}>`;
  return [
    ...fields,
    formatStructured('In-Reply-To', reference),
    formatStructured('References', reference),
  ];
}

/** The Message-ID of the message, if it is one that can be repeated. */
function messageIdOf({ original }: NoticeFacts): string | undefined {
  if (original === undefined) return undefined;
  const field = firstField(readHead(original.head), 'message-id');
  const id = field === undefined ? undefined : parseMessageId(field.value);
  const fine = id !== undefined && /^[!-;=?-~]+$/.test(id) && id.length <= REFERENCE_CHARACTERS;
  return fine ? id : undefined;
}
