/** REQUIRETLS (RFC 8689): a message that is never to travel in clear; said inside TLS only. */

import type { Extension } from '../extension.ts';
import { replies } from '../replies.ts';

export const requireTls: Extension = {
  keyword: 'REQUIRETLS',
  // RFC 8689 2: not before TLS. LMTP hands over for good, so there is nothing to promise.
  announce: ({ secure, settings }) =>
    secure !== undefined && settings.mode !== 'lmtp' ? 'REQUIRETLS' : undefined,
  mail: {
    REQUIRETLS(value, draft) {
      if (value !== undefined) return replies.badParameter;
      draft.requireTls = true;
      return undefined;
    },
  },
};
