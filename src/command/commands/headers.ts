/** `postern headers`: what the traces in a message tell, what of it is proved, what contradicts. */

import type { Command } from '../command.ts';

export const headers: Command = {
  name: 'headers',
  summary: 'read the traces of messages: their way, who answers for them, what contradicts',
  details:
    'Takes messages (.eml), mbox files, Maildir folders, - for standard input; many at once. ' +
    'Without --trusted-mx, --trusted-net, --authserv-id or --ledger everything is a claim and ' +
    'there is no verdict. The DNS is asked with --dns alone. The first 256 KiB of a header are read; ' +
    'bodies are hashed as they pass.',
  arguments: [{ name: 'files', summary: 'messages, mbox files, folders, or -', many: true }],
  options: [
    {
      flags: '--trusted-mx <hosts>',
      summary: 'hosts that write true lines; .example.org: all below',
    },
    { flags: '--trusted-net <networks>', summary: 'networks that hand true messages over' },
    { flags: '--authserv-id <ids>', summary: 'whose Authentication-Results are believed' },
    { flags: '--ledger', summary: 'believe the lines that this server has a record of' },
    { flags: '--known <domains>', summary: 'domains that others may imitate' },
    { flags: '--dns', summary: 'ask the DNS for keys and policies' },
    { flags: '--resolver <address>', summary: 'ask this name server instead of the system one' },
    { flags: '--evidence <file>', summary: 'take the answers of the DNS from this bundle' },
    { flags: '--save-evidence <file>', summary: 'write a bundle: hashes, answers of the DNS' },
    { flags: '--html <file>', summary: 'write one HTML page for people' },
    { flags: '--header-only', summary: 'leave the bodies alone: fast, signatures stay unknown' },
    { flags: '--mbox <form>', summary: 'o, rd, cl or cl2: how "From " is quoted; else found out' },
    { flags: '--all', summary: 'the whole report for each of many, and what is no evidence' },
  ],
  examples: [
    'postern headers --trusted-mx mx.example.org --dns suspicious.eml',
    'postern headers --authserv-id mx.google.com --known example.org,paypal.com mail.mbox',
    'postern headers --ledger --html report.html ~/Maildir',
  ],
  run: async (context) => {
    const { runHeaders } = await import('../headers/run.ts');
    return runHeaders(context);
  },
};
