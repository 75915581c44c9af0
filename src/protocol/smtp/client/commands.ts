/** The commands of a transaction as lines, with the parameters that the server understands. */

import { formatAddress, parseAddress } from '#base/address.ts';
import { parseAddressLiteral, parseDomain } from '#base/domain.ts';
import type { Envelope, QueuedRecipient } from '#store/queue.ts';
import { encodeXtext } from '../xtext.ts';
import type { Capabilities } from './capabilities.ts';

export type OutgoingRecipient = Pick<QueuedRecipient, 'address' | 'notify' | 'originalRecipient'>;

export interface OutgoingEnvelope extends Envelope {
  /** RFC 4954 5: who submitted it, `<>` for unknown; sent only after we authenticated. */
  readonly auth?: string;
}

const ORIGINAL_OCTETS = 500;
const ENVELOPE_ID_OCTETS = 100;

/** Whether text may stand in EHLO: a domain or an address literal, nothing else. */
export function isHeloName(name: string): boolean {
  return (
    /^[\x21-\x7e]+$/.test(name) && (parseDomain(name) ?? parseAddressLiteral(name)) !== undefined
  );
}

/**
 * An address as it may stand between angle brackets, or undefined if it is none: so no space, no
 * line end. The local part stays as it is, the domain goes as A-labels, which every server takes.
 */
export function wireAddress(text: string): string | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : formatAddress(address);
}

/** Whether addresses as `wireAddress` made them cannot go without SMTPUTF8 (RFC 6531 3.4). */
export function needUtf8(wire: readonly (string | undefined)[]): boolean {
  return wire.some((address) => address !== undefined && isNonAscii(address));
}

/**
 * MAIL (RFC 5321 4.1.1.2) of a sender as `wireAddress` made it, empty for the null reverse-path;
 * `utf8` and `body` as decided for this server.
 */
export function mailCommand(
  sender: string,
  envelope: OutgoingEnvelope,
  can: Capabilities,
  mail: { readonly sizeBytes: number; readonly utf8: boolean; readonly authenticated: boolean },
): string {
  const words = [`MAIL FROM:<${sender}>`];
  if (can.keywords.has('SIZE')) words.push(`SIZE=${mail.sizeBytes}`);
  if (envelope.body === 'binarymime') words.push('BODY=BINARYMIME');
  if (envelope.body === '8bitmime' && can.keywords.has('8BITMIME')) words.push('BODY=8BITMIME');
  if (mail.utf8) words.push('SMTPUTF8');
  if (envelope.tls === 'required' && can.keywords.has('REQUIRETLS')) words.push('REQUIRETLS');
  if (can.keywords.has('DSN')) {
    if (envelope.ret !== undefined) words.push(envelope.ret === 'full' ? 'RET=FULL' : 'RET=HDRS');
    const id = envelope.envelopeId === undefined ? '' : encodeXtext(envelope.envelopeId);
    if (id !== '' && id.length <= ENVELOPE_ID_OCTETS) words.push(`ENVID=${id}`);
  }
  if (envelope.auth !== undefined && mail.authenticated && can.keywords.has('AUTH')) {
    words.push(`AUTH=${envelope.auth === '<>' ? '<>' : encodeXtext(envelope.auth)}`);
  }
  return words.join(' ');
}

/** RCPT (RFC 5321 4.1.1.3, RFC 3461 4.1 and 4.2) of an address as `wireAddress` made it. */
export function rcptCommand(
  address: string,
  recipient: Pick<OutgoingRecipient, 'notify' | 'originalRecipient'>,
  can: Capabilities,
): string {
  const words = [`RCPT TO:<${address}>`];
  if (!can.keywords.has('DSN')) return words.join(' ');
  if (recipient.notify !== undefined) {
    const when = recipient.notify.map((one) => one.toUpperCase()).join(',');
    words.push(`NOTIFY=${when === '' ? 'NEVER' : when}`);
  }
  const original = originalRecipient(recipient.originalRecipient);
  if (original !== undefined) words.push(`ORCPT=${original}`);
  return words.join(' ');
}

/** `rfc822;a+b@c` to `rfc822;a+2Bb@c`; what the form cannot carry is left out. */
function originalRecipient(text: string | undefined): string | undefined {
  const semicolon = text?.indexOf(';') ?? -1;
  if (text === undefined || semicolon < 1 || isNonAscii(text)) return undefined;
  const type = text.slice(0, semicolon);
  if (!/^[A-Za-z0-9-]{1,64}$/.test(type)) return undefined;
  const address = encodeXtext(text.slice(semicolon + 1));
  return address === '' || address.length > ORIGINAL_OCTETS ? undefined : `${type};${address}`;
}

function isNonAscii(text: string): boolean {
  return /[^\x00-\x7f]/.test(text);
}
