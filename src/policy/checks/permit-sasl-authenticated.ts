/** permit_sasl_authenticated: ends the list for clients that are logged in. */

import type { Check } from './check.ts';
import { DUNNO, permitted } from './check.ts';

export const permitSaslAuthenticated: Check = {
  name: 'permit_sasl_authenticated',
  needs: 'sender',
  judge: ({ client }) =>
    client.login === undefined
      ? DUNNO
      : permitted('permit_sasl_authenticated', `logged in as ${client.login.address}`),
};
