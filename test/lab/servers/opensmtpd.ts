/** OpenSMTPD: one instance in a file system of its own, its configuration is the profile's. */

import { DOMAIN, HOST } from '../root.ts';
import type { Server } from '../server.ts';

export const opensmtpd: Server = {
  layer: 'opensmtpd',
  write(root, { address, settings }) {
    const lines = settings.replaceAll('ADDRESS', address);
    root.write(
      '/etc/smtpd.conf',
      `pki ${HOST} cert "/etc/lab/cert.pem"
pki ${HOST} key "/etc/lab/key.pem"
table aliases file:/etc/aliases
${lines}
`.replaceAll('DOMAIN', DOMAIN),
    );
    root.write('/etc/lab/key.pem', root.read('/etc/lab/key.pem'), 0o600);
    return Promise.resolve('/etc/smtpd.conf');
  },
  start(root) {
    root.start('smtpd', '-d', '-v');
    return Promise.resolve();
  },
  async check(root) {
    const { output } = await root.attempt('smtpd', ['-n']);
    return output.split('\n').filter((line) => !/^(?:configuration OK)?$/.test(line));
  },
};
