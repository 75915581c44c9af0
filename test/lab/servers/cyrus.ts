/** Cyrus IMAP: master with IMAP, POP3, ManageSieve and LMTP on the address of the profile. */

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
    root.write('/etc/imapd.conf', `${root.read('/etc/imapd.conf')}\n${settings}\n`);
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
