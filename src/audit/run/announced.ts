/** Names by which a server calls itself: in its greeting, and in its answer to EHLO. */

import { parseDomain } from '#base/domain.ts';
import type { Service } from '../service.ts';

/**
 * The names that greetings begin with (RFC 5321 4.2). A server that lies here could send mail to
 * whomever it names by itself: that recipients may be built from these names gains it nothing.
 */
export function announcedNames(services: readonly Service[]): readonly string[] {
  const names = services.flatMap(({ protocol, greeting }) => {
    if (protocol !== 'smtp' && protocol !== 'lmtp') return [];
    const [, word = ''] = /^220[ -](\S{1,255})/.exec(greeting) ?? [];
    const domain = word.includes('.') ? parseDomain(word) : undefined;
    return domain === undefined ? [] : [domain];
  });
  return [...new Set(names)];
}
