/** Python's aiosmtpd: the profile is the program that embeds it, as its users write one. */

import type { Server } from '../server.ts';

export const aiosmtpd: Server = {
  layer: 'aiosmtpd',
  write(root, { address, settings }) {
    root.write('/etc/lab/server.py', settings.replaceAll('ADDRESS', address));
    return Promise.resolve(undefined);
  },
  start(root) {
    root.start('python3', '-u', '/etc/lab/server.py');
    return Promise.resolve();
  },
};
