/** The MSA (RFC 6409): a user's message is checked for its author, completed, and made discreet. */

import { type Address, formatAddress } from '#base/address.ts';
import type { Domain } from '#base/brand.ts';
import { concat, latin1, utf8 } from '#base/bytes.ts';
import { displayDomain } from '#base/domain.ts';
import { invariant } from '#base/failure.ts';
import { readSenders } from '#message/addresses.ts';
import { formatDate } from '#message/date.ts';
import { editHead } from '#message/edit.ts';
import { type FieldText, formatMailboxes, formatStructured } from '#message/field-text.ts';
import { type Head, firstField, readHead } from '#message/fields.ts';
import { readStructure } from '#message/scanner.ts';
import type { AddressBook } from '#policy/addresses/resolve.ts';
import { ownsSender } from '#policy/addresses/sender.ts';
import type { Authenticated } from '#protocol/sasl/authenticated.ts';
import type { Arrived } from './arrival.ts';
import { type Judged, type MailFacts, messageIdOf, ready, receivedFor, refuse } from './mta.ts';
import { refuseHead, withoutForged } from './mta.ts';
import { qualifiedFields } from './qualify.ts';

const EMPTY_LINE = utf8('\r\n');

/**
 * Judges and completes a submitted message. Every mailbox in From and Sender must belong to the
 * login (RFC 6409 6.1, 8.1); Date, Message-ID and From are put in when missing (8.2, 8.3), bare
 * names in address fields get our domain (8.4); Bcc is taken out, and so are results that claim to
 * be ours. The body is never touched. Who signs it does so afterwards.
 */
export function submit(
  arrived: Arrived,
  facts: MailFacts,
  directory: AddressBook,
  origin: Domain | undefined,
): Judged {
  const { login } = facts.client;
  invariant(login !== undefined, 'submission has a login');
  const whole = separated(arrived);
  const written = whole.structure.head;
  const refused = refuseHead(written, facts.hostname);
  if (refused !== undefined) return refused;
  const replace = origin === undefined ? [] : qualifiedFields(written, origin);
  const octets = editHead(whole.content.head, { replace });
  const head = replace.length === 0 ? written : readHead(octets);
  const foreign = refuseForeignAuthor(head, login, directory);
  if (foreign !== undefined) return foreign;
  const missing = missingFields(head, facts, login);
  const added = missing.map(({ name }) => name);
  const clean = withoutForged(octets, head, facts);
  const newHead = editHead(clean.head, {
    front: [receivedFor(facts, undefined), ...missing.map(({ field }) => field)],
    remove: ['Bcc', 'Resent-Bcc'],
  });
  const messageId = messageIdOf(head) ?? ownMessageId(facts);
  return ready(whole, newHead, { messageId, facts: { added, ...clean.facts } });
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
): { name: string; field: FieldText }[] {
  const { reversePath } = facts;
  const author = reversePath === null ? login.address : formatAddress(reversePath);
  const wanted = [
    { name: 'Date', field: formatStructured('Date', formatDate(facts.atMs)) },
    { name: 'Message-ID', field: formatStructured('Message-ID', `<${ownMessageId(facts)}>`) },
    { name: 'From', field: formatMailboxes('From', [{ address: author }], { utf8: true }) },
  ];
  return wanted.filter(({ name }) => firstField(head, name) === undefined);
}

function ownMessageId({ id, hostname }: MailFacts): string {
  return `${id}@${hostname}`;
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
  return { ...arrived, content, structure: readStructure([content.head, content.body]) };
}
