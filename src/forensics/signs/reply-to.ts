/** Answers go to another organisation than the author's. */

import { domainOf, sameOrganization } from '../names/domains.ts';
import type { Sign } from '../case.ts';

/** Where anybody gets an address in a minute. */
const FREEMAIL = new Set(
  ['gmail.com', 'googlemail.com', 'outlook.com', 'hotmail.com', 'live.com', 'yahoo.com', 'aol.com']
    .concat(['gmx.com', 'gmx.de', 'web.de', 'mail.ru', 'yandex.com', 'yandex.ru', 'icloud.com'])
    .concat(['proton.me', 'protonmail.com', 'mail.com', 'zoho.com', 'tutanota.com', 'qq.com']),
);

export const replyTo: Sign = {
  id: 'reply-to',
  title: 'answers go to somebody else',
  strength: 'context',
  rates: { phish: 12.8, easyHam: 19, hardHam: 7.6, spam: 12.9 },
  innocent: 'mailing lists, newsletters, ticket systems',
  look: ({ from, replyTo: answers }) => {
    const [author, other] = [domainOf(from.main.address), domainOf(answers.main.address)];
    if (author === undefined || other === undefined || sameOrganization(author, other)) return [];
    const quotes = [from.main.address ?? '', answers.main.address ?? ''];
    const free = FREEMAIL.has(other) && !FREEMAIL.has(author);
    const text = free
      ? `From is of ${author}, answers go to a mailbox of ${other}, where anybody gets one`
      : `From is of ${author}, answers go to ${other}`;
    return [{ text, quotes, ...(free && { strength: 'strong' as const }) }];
  },
};
