/** Answers go to another organisation than the author's. */

import { brandOf } from '../names/confusables.ts';
import { domainOf, sameOrganization } from '../names/domains.ts';
import type { Seen, Sign } from '../case.ts';

/** Where anybody gets an address in a minute. */
const FREEMAIL = new Set(
  ['gmail.com', 'googlemail.com', 'ymail.com', 'rocketmail.com', 'msn.com', 'web.de', 'mail.ru']
    .concat(['inbox.ru', 'list.ru', 'bk.ru', 'icloud.com', 'me.com', 'mac.com', 'proton.me'])
    .concat(['pm.me', 'protonmail.com', 'mail.com', 'email.com', 'tutanota.com', 'tuta.io'])
    .concat([
      'qq.com',
      '163.com',
      '126.com',
      'naver.com',
      'rediffmail.com',
      'freenet.de',
      'mail.de',
    ])
    .concat([
      'libero.it',
      'laposte.net',
      'fastmail.com',
      'inbox.lv',
      'seznam.cz',
      'wp.pl',
      'o2.pl',
    ]),
);
/** Those that have the same name in many countries. */
const FREE_NAMES = new Set(['yahoo', 'hotmail', 'outlook', 'live', 'gmx', 'aol', 'yandex', 'zoho']);

function isFree(domain: string): boolean {
  if (FREEMAIL.has(domain)) return true;
  return /\.(?:com|net|[a-z]{2})$/.test(domain) && FREE_NAMES.has(brandOf(domain));
}

export const replyTo: Sign = {
  id: 'reply-to',
  title: 'answers go to somebody else',
  strength: 'context',
  rates: { phish: 12.8, easyHam: 19, hardHam: 7.6, spam: 12.9 },
  innocent: 'mailing lists, newsletters, ticket systems',
  look: ({ from, answersTo }) => {
    const author = domainOf(from.main.address);
    if (author === undefined) return [];
    const told = new Set<string>();
    return answersTo.flatMap((address): Seen[] => {
      const other = domainOf(address);
      if (other === undefined || told.has(other) || sameOrganization(author, other)) return [];
      told.add(other);
      const quotes = [from.main.address ?? '', address];
      const free = isFree(other) && !isFree(author);
      const text = free
        ? `From is of ${author}, answers go to a mailbox of ${other}, where anybody gets one`
        : `From is of ${author}, answers go to ${other}`;
      return [{ text, quotes, ...(free && { strength: 'strong' as const }) }];
    });
  },
};
