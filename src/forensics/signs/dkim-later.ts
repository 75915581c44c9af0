/** A signature that was made after the message was delivered. */

import { moment } from '../moment.ts';
import type { Sign } from '../case.ts';

const SKEW_MS = 300_000;

export const dkimLater: Sign = {
  id: 'dkim-later',
  title: 'signed after it was delivered',
  strength: 'strong',
  contradiction: true,
  innocent: 'a signer whose clock nobody set',
  look: ({ route, authentication }) => {
    const received = route.boundary?.line.date?.ms;
    if (received === undefined) return [];
    const above = route.boundary?.field.start ?? 0;
    return authentication.signatures.dkim.flatMap(({ signedAtSeconds, domain, start }) => {
      // Our own hosts may sign what they pass on.
      if (start < above) return [];
      const ms = (signedAtSeconds ?? 0) * 1_000;
      if (ms <= received + SKEW_MS || !Number.isFinite(ms)) return [];
      const text = `${domain ?? 'somebody'} signed ${moment(ms)}, it was received ${moment(received)}`;
      return [{ text, quotes: [] }];
    });
  },
};
