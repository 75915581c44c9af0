/** `postern talk`: a session by hand with any mail server, explained while it goes on. */

import type { Command } from '../command.ts';

export const talk: Command = {
  name: 'talk',
  summary: 'talk to an SMTP, IMAP or POP3 server by hand, replies explained',
  details:
    'Lines from the keyboard or a pipe are sent as they are, with escapes for any octet; /help ' +
    'in the session tells more. With --from, --to, --data or --quit-after it talks by itself ' +
    "and exits with swaks' numbers: 2 connect, 21 banner, 22 EHLO, 23 MAIL, 24 RCPT, 25 DATA, " +
    '26 content, 28 AUTH, 29 TLS. Passwords come from --password-file, POSTERN_PASSWORD or a ' +
    'prompt without echo, and are shown nowhere.',
  arguments: [{ name: 'target', summary: 'host, host:port or a domain; 465, 993, 995 mean TLS' }],
  options: [
    { flags: '--ehlo <name>', summary: 'say EHLO with this name first' },
    { flags: '--tls <mode>', summary: 'none, starttls, implicit or opportunistic' },
    { flags: '--user <login>', summary: 'log in; PLAIN and LOGIN only under TLS' },
    { flags: '--password-file <file>', summary: 'its first line is the password' },
    { flags: '--auth <mechanism>', summary: 'plain, login, scram-sha-256, scram-sha-256-plus' },
    { flags: '--from <address>', summary: 'the sender; "<>" for none' },
    { flags: '--to <addresses>', summary: 'recipients, separated by commas' },
    { flags: '--data <file>', summary: 'a message; dots are doubled, line ends repaired' },
    {
      flags: '--quit-after <stage>',
      summary: 'connect, banner, ehlo, tls, auth, mail, rcpt, data or content',
    },
    { flags: '--lmtp', summary: 'LHLO, and a reply for each recipient (RFC 2033)' },
    { flags: '--proxy <header>', summary: 'begin with PROXY: "TCP4 192.0.2.1 192.0.2.2 1 25"' },
    { flags: '--xclient <attributes>', summary: 'XCLIENT behind EHLO: "ADDR=192.0.2.1"' },
    { flags: '--source <address>', summary: 'the address to come from' },
    { flags: '--transcript <file>', summary: 'save both sides with times, secrets left out' },
    { flags: '--plain', summary: 'do not explain replies' },
    { flags: '--reply-timeout <seconds>', summary: 'for one reply; usually 30' },
    { flags: '--resolver <address>', summary: "whom to ask instead of the system's name servers" },
  ],
  examples: [
    'postern talk mx.example.org --ehlo probe.example --tls starttls',
    "printf 'EHLO x\\nNOOP\\\\x00\\n' | postern talk 127.0.0.1:1025",
    'postern talk localhost:1025 --from a@b.test --to c@d.test --quit-after rcpt',
  ],
  run: async (context) => {
    const { runTalk } = await import('../talk/run.ts');
    return runTalk(context);
  },
};
