/** Dovecot with the lab's people; what is offered and how is the profile's. */

import { HOST } from '../root.ts';
import type { Server } from '../server.ts';

export const dovecot: Server = {
  layer: 'dovecot',
  start(root, { address, settings }) {
    const lines = [
      `listen = ${address}`,
      `hostname = ${HOST}`,
      'log_path = /var/log/lab.log',
      'mail_location = maildir:~/Maildir',
      'ssl_cert = </etc/lab/cert.pem',
      'ssl_key = </etc/lab/key.pem',
      'passdb {\n  driver = shadow\n}',
      'userdb {\n  driver = passwd\n}',
      settings,
    ];
    root.write('/etc/dovecot/dovecot.conf', `${lines.join('\n')}\n`);
    root.start('dovecot', '-F');
    return Promise.resolve('/etc/dovecot/dovecot.conf');
  },
};
