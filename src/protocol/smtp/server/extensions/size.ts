/** SIZE (RFC 1870): the largest message, and what is too large refused before it is sent. */

import type { Extension } from '../extension.ts';
import { replies } from '../replies.ts';

export const size: Extension = {
  keyword: 'SIZE',
  announce: ({ settings }) => `SIZE ${settings.limits.messageBytes}`,
  mail: {
    SIZE(value, draft, { settings }) {
      if (value === undefined || !/^\d{1,20}$/.test(value)) return replies.badParameter;
      const octets = Number(value);
      const limit = settings.limits.messageBytes || Number.MAX_SAFE_INTEGER;
      if (octets > limit) return replies.tooLarge;
      draft.sizeBytes = octets;
      return undefined;
    },
  },
};
