/** Cyrus IMAP: master with IMAP, POP3, ManageSieve and LMTP on the address of the profile. */

import { lastOfEach } from './last.ts';
import type { Server } from '../server.ts';

export const cyrus: Server = {
  layer: 'cyrus',
  async write(root, { address, settings }) {
    root.write(
      '/etc/cyrus.conf',
      `START {
  recover cmd="/usr/sbin/cyrus ctl_cyrusdb -r"
}
SERVICES {
  imap cmd="imapd -U 30" listen="${address}:143" prefork=0 maxchild=100
  pop3 cmd="pop3d -U 30" listen="${address}:110" prefork=0 maxchild=50
  sieve cmd="timsieved" listen="${address}:4190" prefork=0 maxchild=100
}
EVENTS {
}
`,
    );
    // A setting that comes twice is an error to it.
    const lines = `${root.read('/etc/imapd.conf')}\n${settings}\n`.split('\n');
    const own = lastOfEach(lines, (line) => /^([a-z_0-9]+):/.exec(line)?.[1]);
    root.write('/etc/imapd.conf', own.join('\n'));
    root.write('/etc/lab/key.pem', root.read('/etc/lab/key.pem'), 0o644);
    return undefined;
  },
  start(root) {
    root.start(
      'sh',
      '-c',
      'mkdir -p /run/cyrus/socket /run/cyrus/lock /run/cyrus/proc && chown -R cyrus:mail /run/cyrus; exec /usr/lib/cyrus/bin/master -D',
    );
    return Promise.resolve();
  },
};
