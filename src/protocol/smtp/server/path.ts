/** Paths of MAIL and RCPT: `<address>`, with what really comes around them (RFC 5321 4.1.2). */

import { type Address, parseAddress } from '#base/address.ts';
import type { Domain } from '#base/brand.ts';
import { parseDomain } from '#base/domain.ts';

/** What stood between the brackets, and the parameters after them. */
export interface ReadPath {
  /** `null` for `<>`; undefined when it is no address. */
  readonly address: Address | null | undefined;
  /** Between the brackets, without a source route. */
  readonly text: string;
  readonly ascii: boolean;
  readonly rest: string;
}

/** RFC 5321 4.5.3.1.3: with its punctuation. */
const PATH_OCTETS = 256;
/** Marks that only change how the rest is shown, and separators that no name needs. */
const INVISIBLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\u00a0\u00ad\u061c\u115f\u180e]/u;
const BIDI = /[\u2000-\u200f\u202a-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb]/u;

/**
 * Reads `<...>` and what follows it; undefined when the brackets are missing or never close.
 * A source route is checked and dropped (RFC 5321 appendix C, F.2): the address after it is what
 * counts, for relay control too.
 */
export function readPath(text: string): ReadPath | undefined {
  const end = closingBracket(text);
  if (end === undefined) return undefined;
  const rest = text.slice(end + 1);
  if (rest !== '' && !rest.startsWith(' ')) return undefined;
  const whole = text.slice(1, end);
  const ascii = isAscii(whole);
  const wrong = { address: undefined, text: whole, ascii, rest };
  if (Buffer.byteLength(whole) + 2 > PATH_OCTETS) return wrong;
  const mailbox = withoutRoute(whole);
  if (mailbox === undefined) return wrong;
  if (mailbox === '') return { ...wrong, text: '', address: whole === '' ? null : undefined };
  if (!ascii && (INVISIBLE.test(mailbox) || BIDI.test(mailbox))) return wrong;
  return { address: parseAddress(mailbox), text: mailbox, ascii, rest };
}

/** `<alice>` on submission: completed by this host's origin (RFC 6409 4.2), else undefined. */
export function completed(path: ReadPath, origin: Domain | undefined): Address | undefined {
  if (origin === undefined || path.text === '' || path.text.includes('@')) return undefined;
  return parseAddress(`${path.text}@${origin}`);
}

export function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 0x7f) return false;
  }
  return true;
}

/** The `>` that belongs to the first `<`: inside quotes there may be others. */
function closingBracket(text: string): number | undefined {
  if (!text.startsWith('<')) return undefined;
  let quoted = false;
  for (let index = 1; index < text.length; index++) {
    const character = text.charCodeAt(index);
    if (character === 0x22) quoted = !quoted;
    else if (character === 0x5c && quoted) index += 1;
    else if (character === 0x3e && !quoted) return index;
  }
  return undefined;
}

/** `@a,@b:c@d` to `c@d`; undefined when what stands before the colon is no route. */
function withoutRoute(path: string): string | undefined {
  if (!path.startsWith('@')) return path;
  const colon = path.indexOf(':');
  if (colon < 0) return undefined;
  const hosts = path.slice(0, colon).split(',');
  const sound = hosts.every((host) => host.startsWith('@') && parseDomain(host.slice(1)));
  return sound ? path.slice(colon + 1) : undefined;
}
