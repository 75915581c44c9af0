/** Whose message it says it is: the one domain of From, or why nobody can say (RFC 7489 6.6.1). */

import { isAddressLiteral } from '#base/domain.ts';
import type { Domain } from '#base/brand.ts';
import { latin1 } from '#base/bytes.ts';
import { readSenders } from '#message/addresses.ts';
import { type Head, allFields, readHead } from '#message/fields.ts';
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
  const odd = oddFrom(latin1(octets.subarray(0, head.headBytes)));
  if (odd !== undefined) return unusable(odd);
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

/** Lines that are no From field by RFC 5322 2.2, but that some program shows as one. */
function oddFrom(head: string): string | undefined {
  let from = 0;
  while (from < head.length) {
    const lf = head.indexOf('\n', from);
    const end = lf === -1 ? head.length : lf;
    // A line with a blank in front belongs to the field above, if there is one.
    if (from === 0 || !/[ \t]/.test(head[from] ?? '')) {
      const [name = ''] = head.slice(from, Math.min(end, from + NAME_LOOKED_AT)).split(':', 1);
      const bare = name.endsWith('\r') ? name.slice(0, -1) : name;
      const whole = head[from + name.length] === ':';
      const exact = whole && bare.toLowerCase() === 'from';
      if (!exact && bare.replace(/[^!-~]/g, '').toLowerCase() === 'from') {
        return 'a line that only some read as From';
      }
    }
    from = end + 1;
  }
  return undefined;
}

const NAME_LOOKED_AT = 128;

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
