/** From, Sender, Reply-To and MAIL FROM are not all the same: others call it spoofing. */

import { displayed } from '../input/displayed.ts';
import type { Sign } from '../case.ts';

export const unequalSenders: Sign = {
  id: 'unequal-senders',
  title: 'the sender addresses are not all equal',
  strength: 'dropped',
  rates: { phish: 51.9, easyHam: 75.2, hardHam: 77.2, spam: 27.7 },
  innocent: 'three quarters of ordinary mail',
  look: ({ specimen, from, replyTo, authentication }) => {
    const all = [from.main.address, replyTo.main.address, authentication.mailFrom];
    all.push(displayed(specimen.head, 'sender').main.address);
    const different = new Set(all.flatMap((one) => (one ? [one.toLowerCase()] : [])));
    if (different.size < 2) return [];
    return [{ text: `${different.size} different addresses`, quotes: [...different] }];
  },
};
