/** ENVELOPE as it goes on the wire (RFC 3501 7.4.2). */

import { domainToASCII } from 'node:url';
import { fromLatin1 } from '#base/bytes.ts';
import type { EnvelopeFields, FieldAddress } from '#message/part.ts';
import { encodeRawText, encodeWords } from './encoded-word.ts';
import { formatNString, formatString } from './string.ts';

/** The envelope from `(` to `)`: 7-bit, each string quoted or literal, NIL where there is none. */
export function formatEnvelope(envelope: EnvelopeFields): Uint8Array {
  return fromLatin1(envelopeText(envelope));
}

/** The same as text; an envelope that nobody has (a part that could not be read) is all NIL. */
export function envelopeText(envelope: EnvelopeFields | undefined): string {
  if (envelope === undefined) return '(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)';
  const { from, sender, replyTo } = envelope;
  // Most messages have the same three: written once.
  const fromText = addressList(from);
  const senderText = sender === from ? fromText : addressList(sender);
  const replyText = replyTo === from ? fromText : addressList(replyTo);
  const rest = `${addressList(envelope.to)} ${addressList(envelope.cc)} ${addressList(envelope.bcc)}`;
  const addresses = `${fromText} ${senderText} ${replyText} ${rest}`;
  const head = `${rawText(envelope.date)} ${rawText(envelope.subject)}`;
  return `(${head} ${addresses} ${rawText(envelope.inReplyTo)} ${rawText(envelope.messageId)})`;
}

function rawText(raw: string | undefined): string {
  return raw === undefined ? 'NIL' : formatString(encodeRawText(raw));
}

/** An empty list is NIL, never `()`. */
function addressList(addresses: readonly FieldAddress[]): string {
  return addresses.length === 0 ? 'NIL' : `(${addresses.map(address).join('')})`;
}

/** `(name route mailbox host)`; groups by NIL host, their end by NIL mailbox as well. */
function address(field: FieldAddress): string {
  if (field.domain === undefined) {
    const group = field.local === '' ? 'NIL' : formatString(encodeWords(field.local));
    return `(NIL NIL ${group} NIL)`;
  }
  const name = field.name === undefined ? undefined : encodeWords(field.name);
  const local = formatString(encodeWords(field.local));
  return `(${formatNString(name)} NIL ${local} ${formatString(host(field.domain))})`;
}

function host(domain: string): string {
  if (/^[\x21-\x7e]*$/.test(domain)) return domain;
  const ascii = /[\x00-\x20\x7f]/.test(domain) ? '' : domainToASCII(domain);
  return ascii === '' ? encodeWords(domain) : ascii;
}
