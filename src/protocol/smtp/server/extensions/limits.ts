/** LIMITS (RFC 9422): how many recipients and transactions the server takes. */

import type { Extension } from '../extension.ts';

export const limits: Extension = {
  keyword: 'LIMITS',
  announce({ settings }) {
    const { recipients, transactions } = settings.limits;
    const mailMax = transactions > 0 ? ` MAILMAX=${transactions}` : '';
    return `LIMITS RCPTMAX=${recipients}${mailMax}`;
  },
};
