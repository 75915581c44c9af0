/** Mailbox addresses as envelopes carry them (RFC 5321 4.1.2): parsed once, compared by one form. */

import type { Domain } from './brand.ts';
import { parseAddressLiteral, parseDomain } from './domain.ts';

/** A mailbox address. */
export interface Address {
  /** As it was written, quotes kept, case kept: this is what is relayed. */
  readonly localPart: string;
  /** The local part's value: quotes and backslashes taken away, NFC. */
  readonly local: string;
  /** The routing domain: after the last `@`, in the form we compare. */
  readonly domain: Domain;
}

/** The null reverse-path `<>` is `null`. */
export type ReversePath = Address | null;

const LOCAL_OCTETS = 64;
const PATH_OCTETS = 254;
const ATOM = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\u{10ffff}-]+$/u;
const QUOTED = /^"(?:[\x20\x21\x23-\x5b\x5d-\x7e\x80-\u{10ffff}]|\\[\x20-\x7e])*"$/u;

/**
 * Text without angle brackets to an Address, or undefined. The domain is what follows the last
 * `@`, so `"a@x"@y` routes to y and an unquoted second `@` is an error. Limits: local part 64,
 * address 254 octets (RFC 5321 4.5.3.1). Non-ASCII is let through here: whether the session
 * may use it (RFC 6531) is the caller's to check, by `isInternational`.
 */
export function parseAddress(text: string): Address | undefined {
  const at = text.lastIndexOf('@');
  if (at < 1 || Buffer.byteLength(text) > PATH_OCTETS) return undefined;
  const localPart = text.slice(0, at);
  const host = text.slice(at + 1);
  const domain = host.startsWith('[') ? parseAddressLiteral(host) : parseDomain(host);
  const local = parseLocalPart(localPart);
  if (domain === undefined || local === undefined) return undefined;
  return { localPart, local, domain };
}

/** A local part to its value, or undefined if it is neither a dot-string nor a quoted string. */
export function parseLocalPart(text: string): string | undefined {
  if (Buffer.byteLength(text) > LOCAL_OCTETS || hasLoneSurrogate(text)) return undefined;
  if (text.startsWith('"')) {
    if (!QUOTED.test(text) || text.length < 3) return undefined;
    return text.slice(1, -1).replace(/\\(.)/gs, '$1').normalize('NFC');
  }
  return text.split('.').every((atom) => ATOM.test(atom)) ? text.normalize('NFC') : undefined;
}

/** An address as it goes on the wire, without angle brackets; the domain as A-labels. */
export function formatAddress(address: Address): string {
  return `${address.localPart}@${address.domain}`;
}

/** A reverse-path as it goes on the wire, with angle brackets; `<>` for null. */
export function formatPath(path: ReversePath): string {
  return path === null ? '<>' : `<${formatAddress(path)}>`;
}

/** The key by which our own mailboxes are found: value of the local part in lower case. */
export function addressKey(address: Address): string {
  return `${address.local.toLowerCase()}@${address.domain}`;
}

/** A value as a local part: quoted when it is no dot-string. */
export function quoteLocalPart(local: string): string {
  if (local !== '' && local.split('.').every((atom) => ATOM.test(atom))) return local;
  return `"${local.replace(/[\\"]/g, '\\$&')}"`;
}

/** Whether an address needs SMTPUTF8 (RFC 6531 3.3): its local part is not ASCII. */
export function isInternational(address: Address): boolean {
  return /[^\x00-\x7f]/.test(address.localPart);
}

function hasLoneSurrogate(text: string): boolean {
  return !text.isWellFormed();
}
