/** The fields that ENVELOPE shows (RFC 3501 7.4.2), out of a head. */

import { ADDRESS_OCTETS, FIELD_ADDRESSES, parseAddresses } from './addresses.ts';
import { withoutControls } from './charset.ts';
import type { Field, Head } from './fields.ts';
import type { EnvelopeFields, FieldAddress } from './part.ts';

/**
 * The envelope of a head. Of a name that stands twice the first field counts, but all To, Cc and
 * Bcc fields are joined, so that nobody hides in a second one. At most `max` addresses in each, and
 * of all address fields together at most `ADDRESS_OCTETS` are read.
 */
export function envelopeOf(head: Head, max: number = FIELD_ADDRESSES): EnvelopeFields {
  const to: FieldAddress[] = [];
  const cc: FieldAddress[] = [];
  const bcc: FieldAddress[] = [];
  let date: string | undefined;
  let subject: string | undefined;
  let inReplyTo: string | undefined;
  let messageId: string | undefined;
  let from: readonly FieldAddress[] | undefined;
  let sender: readonly FieldAddress[] | undefined;
  let replyTo: readonly FieldAddress[] | undefined;
  const budget = { octets: ADDRESS_OCTETS };
  for (const field of head.fields) {
    const { key } = field;
    if (key === 'date') date ??= textOf(field);
    else if (key === 'subject') subject ??= textOf(field);
    else if (key === 'in-reply-to') inReplyTo ??= textOf(field);
    else if (key === 'message-id') messageId ??= textOf(field);
    else if (key === 'from') from ??= someOf(field, max, budget);
    else if (key === 'sender') sender ??= someOf(field, max, budget);
    else if (key === 'reply-to') replyTo ??= someOf(field, max, budget);
    else if (key === 'to') addTo(to, field, max, budget);
    else if (key === 'cc') addTo(cc, field, max, budget);
    else if (key === 'bcc') addTo(bcc, field, max, budget);
  }
  from ??= [];
  sender ??= from;
  replyTo ??= from;
  return { date, subject, from, sender, replyTo, to, cc, bcc, inReplyTo, messageId };
}

/** As written, but fit for a line of a reply: control characters as blanks, NUL as `?`. */
function textOf(field: Field): string {
  return withoutControls(field.value).replaceAll('\ufffd', '?');
}

/** What is left to be read as addresses. */
interface Budget {
  octets: number;
}

/** An empty field is as good as a missing one (RFC 3501 7.4.2). */
function someOf(field: Field, max: number, budget: Budget): readonly FieldAddress[] | undefined {
  const addresses = addressesOf(field, max, budget);
  return addresses.length === 0 ? undefined : addresses;
}

function addTo(addresses: FieldAddress[], field: Field, max: number, budget: Budget): void {
  const room = max - addresses.length;
  if (room <= 0) return;
  for (const address of addressesOf(field, room, budget)) addresses.push(address);
}

function addressesOf({ value }: Field, max: number, budget: Budget): FieldAddress[] {
  const text = value.length > budget.octets ? value.slice(0, budget.octets) : value;
  budget.octets -= text.length;
  return parseAddresses(text, max);
}
