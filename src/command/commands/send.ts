/** `postern send`: a small MUA that submits one message to any server and shows the dialogue. */

import type { Command } from '../command.ts';

export const send: Command = {
  name: 'send',
  summary: 'submit a message to a server and show the dialogue',
  details:
    'The message is a file with its header (--file, - for standard input) or is written from ' +
    '--subject and --text. The password comes from POSTERN_PASSWORD, --password-stdin or a ' +
    'prompt. Passwords never appear in the dialogue.',
  arguments: [
    { name: 'server', summary: 'host or host:port; 465 means TLS at once, else 587 is tried' },
  ],
  options: [
    { flags: '--from <address>', summary: 'the sender; "<>" for none' },
    { flags: '--to <addresses>', summary: 'recipients, separated by commas' },
    { flags: '--subject <text>', summary: 'of the message that is written' },
    { flags: '--text <text>', summary: 'of the message that is written' },
    { flags: '--file <file>', summary: 'a whole message instead' },
    { flags: '--user <login>', summary: 'log in; only under TLS' },
    { flags: '--password-stdin', summary: 'read the password from standard input' },
    { flags: '--auth <mechanism>', summary: 'this SASL mechanism alone' },
    { flags: '--tls <mode>', summary: 'starttls, implicit, opportunistic or never' },
    { flags: '--ca <file>', summary: 'PEM of the authorities to trust instead of the system' },
    { flags: '--insecure', summary: 'do not verify the certificate' },
    { flags: '--helo <name>', summary: 'our name in EHLO' },
    { flags: '--lmtp', summary: 'speak LMTP (RFC 2033)' },
    { flags: '--notify <when>', summary: 'delivery notices: success,failure,delay or never' },
    { flags: '--quiet', summary: 'the outcome alone, without the dialogue' },
  ],
  examples: [
    'postern send mail.example.org:465 --user alice@example.org --from alice@example.org --to bob@example.net --subject Hello --text "Hello, Bob."',
    'postern send localhost:1025 --from a@b.example --to alice@demo.test --file message.eml',
  ],
  run: async (context) => {
    const { runSend } = await import('../send/run.ts');
    return runSend(context);
  },
};
