/** Whose message it says it is: the one domain of From, or why nobody can say (RFC 7489 6.6.1). */

import { isAddressLiteral } from '#base/domain.ts';
import type { Domain } from '#base/brand.ts';
import { latin1 } from '#base/bytes.ts';
import { readSenders } from '#message/addresses.ts';
import { type Head, allFields, readHead } from '#message/fields.ts';
import { oddLines } from '#trust/odd-lines.ts';
import { skipComment, skipQuoted } from '#message/mailbox-scan.ts';

export type Author =
  | { readonly kind: 'author'; readonly domain: Domain }
  /** No author, several, or a From that readers understand differently: an attack or a defect. */
  | { readonly kind: 'unusable'; readonly why: string };

/**
 * The author domain of a message, from the octets of its head. Several mailboxes are all right as
 * long as they share one domain (RFC 7489 6.6.1); several From fields never are (RFC 5322 3.6),
 * nor what only some readers take for a From: `From :`, a first line that begins with a blank.
 */
export function readAuthor(octets: Uint8Array, head: Head = readHead(octets)): Author {
  const [odd] = oddLines(latin1(octets.subarray(0, head.headBytes)), 'from');
  if (odd !== undefined) return unusable('a line that only some read as From');
  const [field, ...others] = allFields(head, 'from');
  if (field === undefined) return unusable('no From');
  if (others.length > 0) return unusable(`${others.length + 1} From fields`);
  if (field.raw.length > FROM_CHARACTERS) return unusable(`From has ${field.raw.length} octets`);
  const senders = readSenders(head);
  if (senders.malformed) return unusable('From breaks the grammar of addresses');
  if (hasRoute(field.value)) return unusable('From has a source route');
  return authorOf(senders.addresses.map(({ domain }) => domain));
}

/** The author domain, given those of all mailboxes in From. */
export function authorOf(domains: readonly Domain[]): Author {
  const [first, ...others] = new Set(domains);
  if (first === undefined) return unusable('no address in From');
  if (others.length > 0) return unusable(`${others.length + 1} domains in From`);
  return { kind: 'author', domain: first };
}

/** A list of a hundred thousand authors would cost 300 ms, and no message has one. */
const FROM_CHARACTERS = 20_000;

/** Whether nobody can publish a policy for a domain: it is an address. */
export function hasNoPolicy(domain: Domain): boolean {
  return isAddressLiteral(domain);
}

function unusable(why: string): Author {
  return { kind: 'unusable', why };
}

/** RFC 5322 4.4 `obs-route`: which of the domains counts has been read both ways. */
function hasRoute(value: string): boolean {
  let at = 0;
  while (at < value.length) {
    const character = value[at];
    if (character === '"' || character === '(') {
      const end = character === '"' ? skipQuoted(value, at) : skipComment(value, at);
      // Without an end the scanner has called it malformed already.
      if (end === -1) return false;
      at = end;
      continue;
    }
    at++;
    if (character !== '<') continue;
    while (value[at] === ' ' || value[at] === '\t') at++;
    if (value[at] === '@') return true;
  }
  return false;
}
