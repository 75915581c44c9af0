/** SCRAM-SHA-256-PLUS (RFC 7677): SCRAM bound to the TLS connection it runs in. */

import type { Mechanism } from '../mechanism.ts';
import { bestBinding } from '../scram.ts';
import { scramExchange } from './scram-sha-256.ts';

export const scramSha256Plus: Mechanism = {
  name: 'SCRAM-SHA-256-PLUS',
  preference: 40,
  available: (secure) => bestBinding(secure) !== undefined,
  exchange: (context, initial) => scramExchange('SCRAM-SHA-256-PLUS', context, initial),
};
