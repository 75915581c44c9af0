/** The MSA (RFC 6409): a user's message is checked for its author, completed, and made discreet. */

import { type Address, formatAddress } from '#base/address.ts';
import { concat, latin1, utf8 } from '#base/bytes.ts';
import { displayDomain } from '#base/domain.ts';
import { readSenders } from '#message/addresses.ts';
import { formatDate } from '#message/date.ts';
import { type Head, allFields, firstField, readHead } from '#message/fields.ts';
import { withHead } from '#message/tree.ts';
import type { AddressBook } from '#policy/addresses/resolve.ts';
import { ownsSender } from '#policy/addresses/sender.ts';
import type { Authenticated } from '#protocol/sasl/authenticated.ts';
import type { Arrived } from './arrival.ts';
import { type Judged, type MailFacts, messageIdOf, receivedFor, refuse } from './mta.ts';
import { refuseDoubles, refuseLoop } from './mta.ts';

const EMPTY_LINE = utf8('\r\n');

/**
 * Judges and completes a submitted message. Every mailbox in From and Sender must belong to the
 * login (RFC 6409 6.1, 8.1); Date, Message-ID and From are put in when missing (8.2, 8.3); Bcc
 * is taken out. The body is never touched. The place for the DKIM signature is here, last.
 */
export function submit(arrived: Arrived, facts: MailFacts, directory: AddressBook): Judged {
  const { login } = facts.client;
  if (login === undefined) throw new Error('submission without a login');
  const whole = separated(arrived);
  const head = readHead(whole.content.head);
  const refused =
    refuseLoop(head, facts.hostname) ??
    refuseDoubles(head) ??
    refuseForeignAuthor(head, login, directory);
  if (refused !== undefined) return refused;
  const additions = missingFields(head, facts, login);
  const received = receivedFor(facts, undefined);
  const kept = withoutFields(whole.content.head, head, 'Bcc');
  const newHead = concat([received, utf8(additions.text), kept]);
  return {
    kind: 'ready',
    content: { head: newHead, body: whole.content.body },
    root: whole.structure === undefined ? undefined : withHead(whole.structure, newHead).root,
    messageId: messageIdOf(head) ?? additions.messageId,
    facts: { bytes: arrived.sizeBytes, added: additions.names },
  };
}

/** RFC 6409 8.1: the author is the login, in every field and every form that readers show. */
function refuseForeignAuthor(
  head: Head,
  login: Authenticated,
  directory: AddressBook,
): (Judged & { kind: 'refuse' }) | undefined {
  for (const name of ['From', 'Sender', 'Resent-From', 'Resent-Sender']) {
    const why = foreignIn(name, head, login, directory);
    if (why !== undefined) return refuse('5.7.1', 'reject_header_from_mismatch', why);
  }
  return undefined;
}

function foreignIn(
  name: string,
  head: Head,
  login: Authenticated,
  directory: AddressBook,
): string | undefined {
  const senders = readSenders(head, name);
  if (senders.fields === 0) return undefined;
  if (senders.malformed) return `the ${name} field holds something that is no address`;
  if (senders.addresses.length === 0) return `the ${name} field names nobody`;
  const foreign = senders.addresses.find((one) => !ownsSender(login, one, directory));
  if (foreign === undefined) return undefined;
  return `${shown(foreign)} in ${name} does not belong to the login ${login.address}`;
}

function shown(address: Address): string {
  return `${address.localPart}@${displayDomain(address.domain)}`;
}

function missingFields(
  head: Head,
  facts: MailFacts,
  login: Authenticated,
): { text: string; names: string[]; messageId: string } {
  const messageId = `${facts.id}@${facts.hostname}`;
  const { reversePath } = facts;
  const author = reversePath === null ? login.address : formatAddress(reversePath);
  const wanted: [name: string, value: string][] = [
    ['Date', formatDate(facts.atMs)],
    ['Message-ID', `<${messageId}>`],
    ['From', author],
  ];
  const missing = wanted.filter(([name]) => firstField(head, name) === undefined);
  return {
    text: missing.map(([name, value]) => `${name}: ${value}\r\n`).join(''),
    names: missing.map(([name]) => name),
    messageId,
  };
}

/** The octets of a head without the fields of one name; everything else as it was. */
function withoutFields(bytes: Uint8Array, head: Head, name: string): Uint8Array {
  const gone = allFields(head, name);
  if (gone.length === 0) return bytes;
  const kept: Uint8Array[] = [];
  let from = 0;
  for (const { start, end } of gone) {
    kept.push(bytes.subarray(from, start));
    from = end;
  }
  kept.push(bytes.subarray(from));
  return concat(kept);
}

/** Text without a header becomes a body; a header without its empty line gets one. */
function separated(arrived: Arrived): Arrived {
  const { head, body } = arrived.content;
  if (latin1(head.subarray(-4)).endsWith('\r\n\r\n') || head.length === 2) return arrived;
  if (!(body instanceof Uint8Array) || body.length > 0) return arrived;
  const { fields } = readHead(head);
  const content =
    fields.length === 0
      ? { head: EMPTY_LINE, body: head }
      : { head: concat([head, EMPTY_LINE]), body };
  return { ...arrived, content };
}
