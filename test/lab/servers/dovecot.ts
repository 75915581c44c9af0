/** Dovecot with the lab's people; what is offered and how is the profile's. */

import { HOST } from '../root.ts';
import type { Server } from '../server.ts';

export const dovecot: Server = {
  layer: 'dovecot',
  write(root, { address, settings }) {
    const lines = [
      `listen = ${address}`,
      `hostname = ${HOST}`,
      'log_path = /var/log/lab.log',
      'mail_location = maildir:~/Maildir',
      'ssl_cert = </etc/lab/cert.pem',
      'ssl_key = </etc/lab/key.pem',
      ...(settings.includes('passdb {') ? [] : ['passdb {\n  driver = shadow\n}']),
      'userdb {\n  driver = passwd\n}',
      settings,
    ];
    root.write('/etc/dovecot/dovecot.conf', `${lines.join('\n')}\n`);
    return Promise.resolve('/etc/dovecot/dovecot.conf');
  },
  start(root) {
    root.start('dovecot', '-F');
    return Promise.resolve();
  },
  /** Its reader is strict; what it takes and warns of is another version's. */
  async check(root) {
    const { code, output } = await root.attempt('doveconf', ['-n']);
    const lines = output.split('\n').filter((line) => /^doveconf: (?:Warn|Err|Fat)/.test(line));
    return code === 0 ? lines : [`doveconf: ${code}`, ...lines];
  },
};
