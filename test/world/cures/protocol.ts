/** Cures against octets that mean two things, against what costs too much, and of manners. */

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeGate } from '#policy/restrictions/gate.ts';
import { Networks } from '#policy/restrictions/networks.ts';
import { answers, known, REFUSED, withGate, withLimits, type WithoutCure } from './shape.ts';

export const PROTOCOL: readonly WithoutCure[] = [
  {
    name: 'lines end in CRLF alone: bare LF',
    at: ['smtp'],
    finds: ['smuggling.bare-lf', 'parsing.bare-lf-command'],
    also: [/^smuggling\./],
    tap: { received: (text) => text.replace(/\r?\n/g, '\r\n') },
  },
  {
    name: 'lines end in CRLF alone: bare CR',
    at: ['smtp'],
    finds: ['smuggling.bare-cr', 'parsing.bare-cr-command'],
    also: [/^smuggling\./],
    tap: { received: (text) => text.replace(/\r(?!\n)/g, '\r\n') },
  },
  {
    name: 'NUL is refused',
    at: ['smtp'],
    finds: ['parsing.nul-command', 'smuggling.nul'],
    also: ['parsing.address-control'],
    tap: { received: (text) => text.replaceAll('\0', '') },
  },
  {
    name: 'a command line has an end',
    at: ['smtp'],
    finds: ['parsing.long-command'],
    listener: withLimits({ lineBytes: 1_000_000 }),
  },
  {
    name: 'a message has a largest size',
    at: ['smtp'],
    finds: ['limits.size-unlimited'],
    settings: { message_size_limit: 0 },
  },
  {
    name: 'many errors end the session',
    at: ['smtp'],
    finds: ['limits.no-error-limit'],
    level: 'active',
    listener: withLimits({ errors: 1_000_000, unknownCommands: 1_000_000 }),
  },
  {
    name: 'other protocols end the session',
    at: ['smtp'],
    finds: ['parsing.http-body-run'],
    tap: { line: answers(/^(?:GET|POST|PUT|HEAD|OPTIONS|CONNECT) /, '500 5.5.2 what\r\n') },
  },
  {
    name: 'a literal has a largest size before a login',
    at: ['imap'],
    finds: ['parsing.imap-huge-literal'],
    tap: { line: answers(/\{\d{8,}\}$/, '+ go on\r\n') },
  },
  {
    name: 'no version in the greeting of SMTP',
    at: ['smtp'],
    finds: ['fingerprint.greeting-version'],
    tap: { said: (text) => text.replace(/^(220 \S+ ESMTP)/, '$1 Postern 0.9.1') },
  },
  {
    name: 'no version in the greeting of IMAP',
    at: ['imap'],
    finds: ['fingerprint.greeting-version'],
    tap: { said: (text) => text.replace(/^(\* OK [^\r]*)/, '$1 Postern 0.9.1') },
  },
  {
    name: 'no version in the greeting of POP3',
    at: ['pop3'],
    finds: ['fingerprint.greeting-version'],
    tap: { said: (text) => text.replace(/^(\+OK)/, '$1 Postern 0.9.1') },
  },
  {
    name: 'the null sender is taken',
    at: ['smtp'],
    finds: ['hygiene.null-sender-refused'],
    listener: withGate((gate) => ({
      sender: (client, sender, inquiry) =>
        sender === null ? REFUSED : gate.sender(client, sender, inquiry),
    })),
  },
  {
    name: 'postmaster is taken',
    at: ['smtp'],
    finds: ['hygiene.postmaster-refused'],
    listener: withGate((gate) => ({
      recipient: (client, sender, recipient, inquiry) =>
        recipient.local.toLowerCase() === 'postmaster'
          ? REFUSED
          : gate.recipient(client, sender, recipient, inquiry),
    })),
  },
  {
    name: 'a login writes in its own name alone',
    at: ['submissions'],
    finds: ['relay.r32'],
    listener: withGate(() => ({ sender: () => undefined })),
  },
  {
    name: 'no mail without a login on submission',
    at: ['submissions'],
    finds: ['exposure.submission-without-login'],
    listener: (listener, { store }) => ({
      ...listener,
      machine: { ...listener.machine, requireAuth: false },
      gate: {
        ...makeGate({
          directory: store.directory,
          addresses: {},
          mynetworks: new Networks([]),
          heloRestrictions: [],
          senderRestrictions: [],
          recipientRestrictions: [],
        }),
        sender: (client, sender, inquiry) =>
          client.login === undefined ? undefined : listener.gate.sender(client, sender, inquiry),
      },
    }),
  },
  {
    name: 'HELO comes before MAIL',
    at: ['smtp'],
    finds: ['hygiene.helo-not-required'],
    tap: {
      line: (line, tapped) => {
        const first = tapped.lines.length === 1;
        if (first && /^MAIL /i.test(line)) tapped.whisper('HELO somebody.test');
        return undefined;
      },
    },
  },
  {
    name: 'a name that is none is refused in HELO',
    at: ['smtp'],
    finds: ['hygiene.helo-syntax', 'parsing.helo-control'],
    tap: {
      line: (line) =>
        /^(?:EHLO|HELO) .*[\s_<>!].*$/i.test(line) ? { forward: 'EHLO odd.test' } : undefined,
    },
  },
  {
    name: 'who talks before his turn sends nothing',
    at: ['smtp'],
    finds: ['hygiene.early-talker'],
    level: 'active',
    settings: { smtpd_data_restrictions: [] },
    // In one process with us it would greet before anybody could speak.
    listener: withGate(({ connect }) => ({
      connect: async (client, inquiry) => {
        await sleep(20);
        return connect(client, inquiry);
      },
    })),
  },
  ...(['TURN', 'ATRN', 'DEBUG', 'VERB', 'XEXCH50'] as const).map((verb): WithoutCure => ({
    name: `${verb} is not known`,
    at: ['smtp'],
    finds: [`exposure.${verb.toLowerCase()}`],
    tap: { line: answers(new RegExp(`^${verb}\\b`, 'i'), '250 2.0.0 as you like\r\n') },
  })),
  {
    name: 'ANONYMOUS is no mechanism',
    at: ['submissions'],
    finds: ['plaintext.anonymous-offered', 'plaintext.anonymous-accepted'],
    also: [/^relay\.r30$/],
    tap: {
      said: (text) => text.replace(/^(250[- ]AUTH [^\r]*)/m, '$1 ANONYMOUS'),
      line: answers(/^AUTH ANONYMOUS/i, '235 2.7.0 welcome\r\n'),
    },
  },
  {
    name: 'MD5 is no mechanism',
    at: ['submissions'],
    finds: ['plaintext.cram-md5', 'plaintext.digest-md5'],
    tap: { said: (text) => text.replace(/^(250[- ]AUTH [^\r]*)/m, '$1 CRAM-MD5 DIGEST-MD5') },
  },
  {
    name: 'an unknown login hears what a wrong password hears (SMTP)',
    at: ['submissions'],
    finds: ['users.login-smtp'],
    level: 'active',
    tap: {
      // AUTH LOGIN, then the name: who is nobody is not asked for a password.
      line: (line, { lines }) => {
        if (!/^AUTH LOGIN$/i.test(lines.at(-2) ?? '')) return undefined;
        return known(Buffer.from(line, 'base64').toString()) ? undefined : { forward: '*' };
      },
    },
  },
  {
    name: 'an unknown login hears what a wrong password hears (IMAP)',
    at: ['imaps'],
    finds: ['users.login-imap'],
    level: 'active',
    tap: {
      line: (line) => {
        const [, tag = '', login = ''] = /^(\S+) LOGIN "?([^\s"{]+)/i.exec(line) ?? [];
        return tag === '' || known(login) ? undefined : `${tag} NO no such user\r\n`;
      },
    },
  },
  {
    name: 'an unknown login hears what a wrong password hears (POP3)',
    at: ['pop3s'],
    finds: ['users.login-pop3'],
    level: 'active',
    tap: {
      line: (line) => {
        const login = /^USER (\S+)/i.exec(line)?.[1];
        return login === undefined || known(login) ? undefined : '-ERR no such user\r\n';
      },
    },
  },
  {
    name: 'a made-up salt of SCRAM stays',
    at: ['imaps'],
    finds: ['users.scram'],
    level: 'active',
    tap: {
      line: (line, { lines }) => {
        if (!/ AUTHENTICATE SCRAM-SHA-256$/i.test(lines.at(-2) ?? '')) return undefined;
        const first = Buffer.from(line, 'base64').toString();
        const [, login = '', nonce = ''] = /^n,,n=([^,]*),r=(.*)$/.exec(first) ?? [];
        if (login === '' || known(login)) return undefined;
        const salt = randomBytes(16).toString('base64');
        return `+ ${Buffer.from(`r=${nonce}x,s=${salt},i=10000`).toString('base64')}\r\n`;
      },
    },
  },
  {
    name: 'LMTP is not for strangers',
    at: ['lmtp'],
    finds: ['exposure.lmtp', 'plaintext.no-tls'],
  },
  {
    name: 'the certificate has the name of the server',
    at: ['submissions'],
    finds: ['tls.certificate-name'],
    also: [/^tls\.certificate-(?:untrusted|self-signed|authority|chain-incomplete)$/],
    certificate: { names: ['elsewhere.test'] },
  },
];
