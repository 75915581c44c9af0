/** Notices of delivery go to another organisation than the author's. */

import { domainOf, sameOrganization } from '../names/domains.ts';
import type { Sign } from '../case.ts';

export const returnPath: Sign = {
  id: 'return-path',
  title: 'MAIL FROM is of another organisation',
  strength: 'context',
  rates: { phish: 18, easyHam: 72.4, hardHam: 17.6, spam: 19.3 },
  innocent: 'mailing lists and services that send for others: the rule, not the exception',
  look: ({ from, authentication }) => {
    const { mailFrom } = authentication;
    const [author, sender] = [domainOf(from.main.address), domainOf(mailFrom)];
    if (author === undefined || sender === undefined || sameOrganization(author, sender)) return [];
    const before = rewritten(mailFrom ?? '');
    const text = `From is of ${author}, MAIL FROM of ${sender}`;
    const more = before === undefined ? '' : `, who passed it on for ${before} (SRS)`;
    return [{ text: text + more, quotes: [mailFrom ?? ''] }];
  },
};

/** The address that a forwarder put into its own: `SRS0=hash=time=domain=local@forwarder`. */
function rewritten(mailFrom: string): string | undefined {
  const parts = /^SRS0[=+-][^=]{1,40}=[^=]{1,10}=([^=@]{1,253})=([^@]{1,200})@/i.exec(mailFrom);
  return parts === null ? undefined : `${parts[2] ?? ''}@${parts[1] ?? ''}`;
}
