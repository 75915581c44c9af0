/** Courier's ESMTP, IMAP and POP3 servers, each on the address of the profile. */

import { DOMAIN, HOST } from '../root.ts';
import type { Server } from '../server.ts';

export const courier: Server = {
  layer: 'courier',
  async write(root, { address, settings }) {
    root.write('/etc/courier/me', `${HOST}\n`);
    root.write('/etc/courier/locals', `${DOMAIN}\n${HOST}\n`);
    root.write('/etc/courier/defaultdomain', `${DOMAIN}\n`);
    root.write('/etc/courier/esmtpacceptmailfor.dir/lab', `${DOMAIN}\n`);
    for (const [name, port] of [
      ['esmtpd', 25],
      ['imapd', 143],
      ['pop3d', 110],
    ] as const) {
      const own = `\nADDRESS=${address}\nPORT=${port}\nMAXPERIP=40\nMAXPERC=40\nBOFHCHECKDNS=0\n${settings}\n`;
      root.write(`/etc/courier/${name}`, root.read(`/etc/courier/${name}`) + own);
    }
    // What of TLS stands in these is read by the same programs.
    for (const name of ['imapd-ssl', 'pop3d-ssl']) {
      root.write(`/etc/courier/${name}`, `${root.read(`/etc/courier/${name}`)}\n${settings}\n`);
    }
    return undefined;
  },
  start(root) {
    const begin =
      'mkdir -p /run/courier/authdaemon && chown -R courier:courier /run/courier; ' +
      'makeacceptmailfor; makesmtpaccess; makealiases; makeimapaccess; authdaemond start; ' +
      'courier start; esmtpd start; imapd start; pop3d start';
    root.start('sh', '-c', begin);
    return Promise.resolve();
  },
};
