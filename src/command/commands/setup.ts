/** `postern setup`: from nothing to a configured server and the records to publish. */

import type { Command } from '../command.ts';

export const setup: Command = {
  name: 'setup',
  summary: 'set up a server for a domain: configuration, keys, first account, DNS records',
  details:
    'Make what is missing: a commented configuration, the domain, the first account with ' +
    'postmaster and abuse leading to it, a DKIM key; and print the DNS records to publish. ' +
    'What is there already is left as it is, so it can be run again.',
  arguments: [{ name: 'domain', summary: 'the mail domain, such as example.org' }],
  options: [
    { flags: '--hostname <name>', summary: 'of the server (default mail.<domain>)' },
    { flags: '--address <list>', summary: 'its public IP addresses, with commas between' },
    { flags: '--account <name>', summary: 'the first account (default admin)' },
    { flags: '--zone', summary: 'print the records as lines of a zone file' },
    { flags: '--systemd <dir>', summary: 'write postern.service and postern.socket there' },
    { flags: '--container <dir>', summary: 'write a Containerfile there' },
  ],
  examples: [
    'postern setup example.org --address 192.0.2.1,2001:db8::1',
    'postern setup example.org --zone > example.org.zone',
  ],
  run: async (context) => {
    const { setUp } = await import('../setup/run.ts');
    return setUp(context);
  },
};
