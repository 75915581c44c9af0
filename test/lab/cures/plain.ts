/** A plain configuration for each product: what every cure must fit into. */

import type { ServerPlan } from '../server.ts';

const ADDRESS = '127.0.0.1';

export const PLAIN: Readonly<Record<string, ServerPlan>> = {
  postfix: {
    address: ADDRESS,
    settings: 'smtpd_sasl_auth_enable = yes',
    services: `${ADDRESS}:587 inet n - n - - smtpd`,
  },
  exim: { address: ADDRESS, settings: '', services: '' },
  opensmtpd: {
    address: ADDRESS,
    settings: `listen on ADDRESS hostname mx.lab.test
action "local" mbox alias <aliases>
action "relay" relay
match from any for domain "DOMAIN" action "local"
match from local for any action "relay"`,
    services: '',
  },
  sendmail: { address: ADDRESS, settings: '', services: '' },
  dovecot: { address: ADDRESS, settings: 'protocols = imap pop3 lmtp sieve', services: '' },
};
