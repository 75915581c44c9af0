/** reject_spf_fail: the sender's domain says that this client may not use it (RFC 7208 8.4). */

import { after } from '#base/awaitable.ts';
import type { Check } from './check.ts';
import { DUNNO, refused } from './check.ts';

const RULE = 'reject_spf_fail';

/** Only `fail` refuses; DNS trouble and broken records are remarks (RFC 7208 8.6, 8.7). */
export const rejectSpfFail: Check = {
  name: RULE,
  needs: 'sender',
  judge: ({ inquiry }) =>
    after(inquiry.authentication.spf(), (spf) => {
      if (spf === undefined) return DUNNO;
      const why = `SPF of ${spf.domain} is ${spf.result} by ${spf.mechanism}: ${spf.why}`;
      if (spf.result === 'temperror' || spf.result === 'permerror') {
        inquiry.note({ kind: 'warning', rule: RULE, why });
      }
      if (spf.result !== 'fail') return DUNNO;
      // The enhanced code of RFC 7372 3.2.
      return refused(RULE, 550, '5.7.23', `SPF of ${spf.domain} does not allow this client`, why);
    }),
};
