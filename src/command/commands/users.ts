/** `postern users`: which names does a server tell from names that nobody has? */

import type { Command } from '../command.ts';
import { AUDIT_EXIT } from '../exit.ts';

export const users: Command = {
  name: 'users',
  summary: 'find out whether a server tells who has a mailbox there',
  details:
    'Asks about names that nobody has first, compares answers by code, text and effect, keeps ' +
    "under the server's tarpit and confirms every hit twice. Nothing is sent. auth, imap and " +
    'pop3 try one wrong password for each name. Only loopback and private targets unless ' +
    '--authorised-by says who allowed it. Exit status: 0 nothing is told, 1 names are told, ' +
    '2 it could not be decided, 3 usage, 4 not permitted.',
  usageStatus: AUDIT_EXIT.usage,
  arguments: [{ name: 'target', summary: 'host, host:port or a domain' }],
  options: [
    { flags: '--names <file>', summary: 'a name a line; - for standard input' },
    { flags: '--mode <modes>', summary: 'rcpt (usual), vrfy, expn, auth, imap, pop3; commas' },
    { flags: '--domain <domain>', summary: 'behind the names; found out when left out' },
    { flags: '--known-user <name>', summary: 'a name that exists: the positive control' },
    { flags: '--timing', summary: 'where answers are alike, compare their times too' },
    { flags: '--parallel <count>', summary: 'connections at the same time; usually 6' },
    { flags: '--tls <how>', summary: 'implicit or starttls; implicit on 465, 993 and 995' },
    { flags: '--source <address>', summary: 'the address to come from' },
    { flags: '--helo <name>', summary: 'our name in EHLO' },
    { flags: '--reply-timeout <seconds>', summary: 'for one answer; usually 10' },
    { flags: '--authorised-by <text>', summary: 'who allowed it: "name, reference"' },
    { flags: '--resolver <address>', summary: "whom to ask instead of the system's name servers" },
  ],
  examples: [
    'postern users mx.example.org --names names.txt --mode rcpt,vrfy --authorised-by "Jane Doe, T-12"',
    'postern users 127.0.0.1:1025 --names - --source 127.66.0.1 --json < names.txt',
  ],
  run: async (context) => {
    const { runUsers } = await import('../users/run.ts');
    return runUsers(context);
  },
};
