/** Every cure of our server that can be left out: how it is left out, and what must be found then. */

import type { Level } from '#audit/check.ts';
import type { Settings } from '#command/configuration/settings.ts';
import type { ListenerName } from '#command/serve/listeners.ts';
import type { ServiceParts } from '#command/serve/services.ts';
import type { Gate, Refusal } from '#policy/gate.ts';
import { makeGate } from '#policy/restrictions/gate.ts';
import { Networks } from '#policy/restrictions/networks.ts';
import { reply } from '#protocol/smtp/reply.ts';
import type { SmtpListener } from '#service/smtp/listener.ts';
import { testCertificate } from './certificates.ts';
import type { Tap } from './tap.ts';

export interface WithoutCure {
  /** What the server lacks then. */
  readonly name: string;
  /** The listeners that are opened: only there is it looked for. */
  readonly at: readonly ListenerName[];
  /** Checks that must be found, and beside them nothing of low or higher that is not there always. */
  readonly finds: readonly (string | RegExp)[];
  /** What may be found as well: the same thing by another road. */
  readonly also?: readonly (string | RegExp)[];
  /** Default `safe`. */
  readonly level?: Level;
  /** A setting of the operator's. */
  readonly settings?: Partial<Settings>;
  /** A listener put together otherwise. */
  readonly listener?: (listener: SmtpListener, parts: ServiceParts) => SmtpListener;
  readonly certificate?: Parameters<typeof testCertificate>[0];
  /** What the machine cannot be made to leave out is left out before it. */
  readonly tap?: Tap;
}

const REFUSED: Refusal = { rule: 'test', reply: reply(550, '5.7.1', 'Not from you'), why: 'test' };

/** SMTP: announced in EHLO, in clear or under TLS. */
function announces(
  words: string,
  when: 'clear' | 'tls' | 'both' = 'both',
): NonNullable<Tap['said']> {
  return (text, { isSecure }) =>
    when === 'both' || (when === 'tls') === isSecure
      ? text.replace(/^250([- ])(?=(?:PIPELINING|SIZE|8BITMIME))/m, `250-${words}\r\n250$1`)
      : text;
}

/** Answers a command that starts like this, instead of the server. */
function answers(
  pattern: RegExp,
  text: string | ((line: string) => string),
): NonNullable<Tap['line']> {
  return (line) =>
    pattern.test(line) ? (typeof text === 'string' ? text : text(line)) : undefined;
}

function withGate(change: (gate: Gate) => Partial<Gate>): NonNullable<WithoutCure['listener']> {
  return (listener) => ({ ...listener, gate: { ...listener.gate, ...change(listener.gate) } });
}

function withMachine(more: Partial<SmtpListener['machine']>): NonNullable<WithoutCure['listener']> {
  return (listener) => ({ ...listener, machine: { ...listener.machine, ...more } });
}

const known = (name: string): boolean => /^<?somebody(?:@rehearsal\.test)?>?$/i.test(name.trim());

/** A row a cure. */
export const WITHOUT: readonly WithoutCure[] = [
  {
    name: 'relaying is for networks of ours alone',
    at: ['smtp'],
    finds: [/^relay\.n2$/, /^relay\.n1$/],
    also: [/^relay\.[nr]\d+$/],
    settings: { mynetworks: ['192.0.2.0/24'] },
  },
  {
    name: 'a PROXY header is believed from listed hosts alone',
    at: ['smtp'],
    finds: ['relay.stranger-trusted', 'relay.r28p'],
    settings: { mynetworks: ['127.0.0.0/8'] },
    tap: {
      received: (text, tapped) => {
        const found = /^PROXY TCP4 (\S+) [^\r]*\r\n/.exec(text);
        if (found === null) return text;
        tapped.from(found[1] ?? '');
        return text.slice(found[0].length);
      },
    },
  },
  {
    name: 'XCLIENT is not known',
    at: ['smtp'],
    finds: ['relay.stranger-trusted'],
    tap: {
      said: announces('XCLIENT NAME ADDR'),
      line: answers(/^XCLIENT/i, '220 mx.whole.test ESMTP\r\n'),
    },
  },
  {
    name: 'VRFY says the same for every name',
    at: ['smtp'],
    finds: ['users.vrfy'],
    also: ['hygiene.vrfy-code'],
    tap: {
      line: answers(/^VRFY /i, (line) =>
        known(line.slice(5)) ? '250 2.1.5 <somebody@rehearsal.test>\r\n' : '550 5.1.1 no\r\n',
      ),
    },
  },
  {
    name: 'EXPN says the same for every name',
    at: ['smtp'],
    finds: ['users.expn'],
    tap: {
      line: answers(/^EXPN /i, (line) =>
        known(line.slice(5)) ? '250 2.1.5 <somebody@rehearsal.test>\r\n' : '550 5.1.1 no\r\n',
      ),
    },
  },
  {
    name: 'AUTH is offered and taken under TLS alone',
    at: ['submission'],
    finds: ['plaintext.smtp-auth-offered', 'plaintext.smtp-auth-accepted'],
    tap: {
      said: announces('AUTH PLAIN LOGIN', 'clear'),
      line: (line, { isSecure }) => (!isSecure && /^AUTH /i.test(line) ? '334 \r\n' : undefined),
    },
  },
  {
    name: 'IMAP says LOGINDISABLED before TLS',
    at: ['imap'],
    finds: ['plaintext.imap-logindisabled-missing'],
    tap: { said: (text, { isSecure }) => (isSecure ? text : text.replace(/ LOGINDISABLED/g, '')) },
  },
  {
    name: 'IMAP takes LOGIN under TLS alone',
    at: ['imap'],
    finds: ['plaintext.imap-login-accepted'],
    tap: {
      line: (line, { isSecure }) => {
        const tag = /^(\S+) LOGIN /i.exec(line)?.[1];
        return tag === undefined || isSecure
          ? undefined
          : `${tag} NO [AUTHENTICATIONFAILED] The login name or the password is wrong\r\n`;
      },
    },
  },
  {
    name: 'IMAP offers and takes PLAIN under TLS alone',
    at: ['imap'],
    finds: ['plaintext.access-auth-offered', 'plaintext.access-auth-accepted'],
    tap: {
      said: (text, { isSecure }) =>
        isSecure ? text : text.replace(/ LOGINDISABLED/g, ' LOGINDISABLED AUTH=PLAIN'),
      line: (line, { isSecure }) =>
        !isSecure && /^\S+ AUTHENTICATE PLAIN/i.test(line) ? '+ \r\n' : undefined,
    },
  },
  {
    name: 'POP3 takes USER under TLS alone',
    at: ['pop3'],
    finds: ['plaintext.pop3-user-accepted'],
    tap: {
      line: (line, { isSecure }) =>
        !isSecure && /^USER /i.test(line) ? '+OK go on\r\n' : undefined,
    },
  },
  {
    name: 'IMAP begins without a login',
    at: ['imap'],
    finds: ['plaintext.imap-preauth'],
    tap: { said: (text) => text.replace(/^\* OK /, '* PREAUTH ') },
  },
  {
    name: 'reception offers STARTTLS',
    at: ['smtp'],
    finds: ['plaintext.no-tls'],
    listener: withMachine({ startTls: false }),
  },
  {
    name: 'submission offers STARTTLS',
    at: ['submission'],
    finds: ['plaintext.no-tls'],
    listener: withMachine({ startTls: false }),
  },
  {
    name: 'STARTTLS is not offered again under TLS',
    at: ['smtp'],
    finds: ['plaintext.starttls-offered-again'],
    tap: { said: announces('STARTTLS', 'tls') },
  },
  {
    name: 'octets behind STARTTLS are dropped (SMTP)',
    at: ['smtp'],
    finds: ['injection.starttls-command'],
    also: [/^injection\.starttls-/],
    tap: { keepsClear: true },
  },
  {
    name: 'octets behind STARTTLS are dropped (IMAP)',
    at: ['imap'],
    finds: ['injection.starttls-command'],
    also: [/^injection\.starttls-/],
    tap: { keepsClear: true },
  },
  {
    name: 'octets behind STLS are dropped (POP3)',
    at: ['pop3'],
    finds: ['injection.starttls-command'],
    also: [/^injection\.starttls-/],
    tap: { keepsClear: true },
  },
  {
    name: 'the beginning of a line before TLS is dropped',
    at: ['smtp'],
    finds: ['injection.starttls-partial-line'],
    tap: { line: () => undefined, keepsRest: true },
  },
  {
    name: 'lines end in CRLF alone: bare LF',
    at: ['smtp'],
    finds: ['smuggling.bare-lf'],
    also: [/^smuggling\./, /^parsing\./],
    tap: { received: (text) => text.replace(/\r?\n/g, '\r\n') },
  },
  {
    name: 'lines end in CRLF alone: bare CR',
    at: ['smtp'],
    finds: ['smuggling.bare-cr'],
    also: [/^smuggling\./, /^parsing\./],
    tap: { received: (text) => text.replace(/\r(?!\n)/g, '\r\n') },
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
    finds: ['hygiene.helo-syntax'],
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
        const [, tag = '', login = ''] = /^(\S+) LOGIN "?([^\s"]+)/i.exec(line) ?? [];
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
    name: 'LMTP is not for strangers',
    at: ['lmtp'],
    finds: ['exposure.lmtp'],
    also: [/.*/],
  },
  {
    name: 'the certificate has the name of the server',
    at: ['submissions'],
    finds: ['tls.certificate-name'],
    also: [/^tls\.certificate-(?:untrusted|self-signed|authority|chain-incomplete)$/],
    certificate: { names: ['elsewhere.test'] },
  },
];
