/** `postern doctor`: what is wrong with this installation, seen from inside and outside. */

import type { Command } from '../command.ts';

export const doctor: Command = {
  name: 'doctor',
  summary: 'examine this server and what its domains publish; each trouble with its cure',
  details:
    'Look at every DNS record, the names of the host, the certificate of every port, port 25 ' +
    'outwards, clock, disk, resolver, block lists and queue. Exit status: 0 nothing is bad, ' +
    '1 something is bad, 2 something could not be told.',
  options: [
    { flags: '--address <list>', summary: 'public addresses, where the machine has none itself' },
    { flags: '--reach <host>', summary: 'a mail server outside, to try port 25' },
    { flags: '--dnsbl <zones>', summary: 'block lists to ask, separated by commas' },
  ],
  examples: ['postern doctor', 'postern doctor --json --reach mx.example.org'],
  run: async (context) => {
    const { examine } = await import('../doctor/run.ts');
    return examine(context);
  },
};
