/** The author's domain signed another body, and nothing that lists do explains it. */

import type { Sign } from '../case.ts';

export const bodyChanged: Sign = {
  id: 'body-changed',
  title: 'the body is not the one that the author’s domain signed',
  strength: 'strong',
  contradiction: true,
  innocent: 'a list or filter that changed more than we can undo',
  look: ({ authentication }) => {
    const { author, signatures } = authentication;
    if (author.kind !== 'author') return [];
    // A broken one beside a good one is as if it were not there (RFC 6376 6.1): lists sign anew.
    const good = signatures.dkim.some(
      ({ status, domain }) => status === 'pass' && domain === author.domain,
    );
    if (good) return [];
    // A host of ours found it whole: what changed it came later.
    const whole = authentication.aligned.find(({ by }) => by === 'dkim')?.how;
    const later = whole === undefined ? '' : `; it was changed after this: ${whole}`;
    return signatures.dkim.flatMap(({ domain, bodyMatches, repair, unsignedBytes, selector }) => {
      if (domain !== author.domain || bodyMatches !== false || unsignedBytes !== undefined)
        return [];
      if (repair !== undefined) return [];
      const text = `the body hash of ${selector ?? ''}._domainkey.${domain} does not fit${later}`;
      return [{ text, quotes: [], ...(whole !== undefined && { strength: 'weak' as const }) }];
    });
  },
};
