/** Cures against relaying, enumeration, and what is said or taken before TLS. */

import { announces, answers, known, withMachine, type WithoutCure } from './shape.ts';

export const TRUST: readonly WithoutCure[] = [
  {
    name: 'relaying is for networks of ours alone',
    at: ['smtp'],
    finds: [/^relay\.n2$/, /^relay\.n1$/],
    also: [/^relay\.[nr]\d+$/, 'parsing.unauthorised-pipelining'],
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
    // The tap takes it whatever was said before.
    also: ['hygiene.auth-before-ehlo'],
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
];
