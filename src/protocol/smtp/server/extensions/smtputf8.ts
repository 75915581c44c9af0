/** SMTPUTF8 (RFC 6531): UTF-8 in addresses and header fields, where MAIL says so. */

import type { Extension } from '../extension.ts';
import { replies } from '../replies.ts';

export const smtpUtf8: Extension = {
  keyword: 'SMTPUTF8',
  announce: () => 'SMTPUTF8',
  mail: {
    SMTPUTF8(value, draft) {
      if (value !== undefined) return replies.badParameter;
      draft.smtpUtf8 = true;
      return undefined;
    },
  },
};
