/** Forms that ask for trust: by sender, by HELO, by what came before, by headers of proxies. */

import { concat, fromLatin1 } from '#base/bytes.ts';
import type { Attempt, Form } from './forms.ts';
import type { Place } from './place.ts';

/** Addresses that servers trust out of habit. */
const TRUSTED = ['127.0.0.1', '10.0.0.1', '192.168.0.1', '172.16.0.1'];

function plain(place: Place, variant: string, more: Partial<Attempt> = {}): Attempt {
  return {
    variant,
    mail: `<antispam@${place.other}>`,
    rcpt: [`<${place.token}@${place.foreign}>`],
    mayBeLocal: false,
    ...more,
  };
}

/** R26 to R31; R32 to R35 need an account, a canary or a list, and are in `survey`. */
export const TRUST_FORMS: readonly Form[] = [
  {
    id: 'R26',
    title: 'a sender of its own is believed',
    level: 'safe',
    attempts: (place) =>
      place.domains.flatMap((domain) =>
        [place.user ?? 'root', 'postmaster', place.token].map((local) =>
          plain(place, `${local}@${domain}`, { mail: `<${local.split('@')[0]}@${domain}>` }),
        ),
      ),
  },
  {
    id: 'R27',
    title: 'a HELO name is believed',
    level: 'safe',
    attempts: (place) =>
      [place.server, 'localhost', '[127.0.0.1]', ...place.domains.slice(0, 2)].map((helo) =>
        plain(place, helo, { helo }),
      ),
  },
  {
    id: 'R28',
    title: 'XCLIENT from a stranger',
    level: 'safe',
    attempts: (place) =>
      [...TRUSTED, place.address].map((address) =>
        plain(place, `XCLIENT ${address}`, {
          before: [
            { line: `XCLIENT NAME=localhost ADDR=${xclientAddress(address)}`, must: '220' },
            { line: `EHLO ${place.helo}`, must: '250' },
          ],
        }),
      ),
  },
  {
    id: 'R28f',
    title: 'XFORWARD from a stranger',
    level: 'safe',
    attempts: (place) => [
      plain(place, 'XFORWARD', {
        before: [{ line: 'XFORWARD NAME=localhost ADDR=127.0.0.1', must: '250' }],
      }),
    ],
  },
  {
    id: 'R28p',
    title: 'a PROXY header from a stranger',
    level: 'safe',
    attempts: (place) =>
      ['127.0.0.1', '10.0.0.1'].flatMap((from) => [
        plain(place, `v1 ${from}`, { prologue: proxyV1(from) }),
        plain(place, `v2 ${from}`, { prologue: proxyV2(from) }),
      ]),
  },
  {
    id: 'R29',
    title: 'a stranger behind something that was allowed',
    level: 'safe',
    attempts: (place) => {
      const [domain = place.server] = place.domains;
      const first = `<postmaster@${domain}>`;
      const rcpt = [first, `<${place.token}@${place.foreign}>`];
      const wrong = Buffer.from(`\0${place.token}\0${place.token}`).toString('base64');
      return [
        plain(place, 'local first', { rcpt }),
        plain(place, 'local, RSET', { rcpt, reset: true }),
        plain(place, 'STARTTLS', { startTls: true, needs: 'STARTTLS' }),
        plain(place, 'failed AUTH', { before: [{ line: `AUTH PLAIN ${wrong}` }], needs: 'AUTH' }),
      ];
    },
  },
  {
    id: 'R30',
    title: 'a login that is none',
    level: 'active',
    attempts: (place) => {
      const any = Buffer.from(`\0${place.token}\0${place.token}`).toString('base64');
      const guest = Buffer.from('\0guest\0guest').toString('base64');
      return [
        plain(place, 'ANONYMOUS', { before: login('AUTH ANONYMOUS cHJvYmU='), needs: 'AUTH' }),
        plain(place, 'any password', { before: login(`AUTH PLAIN ${any}`), needs: 'AUTH' }),
        plain(place, 'guest', { before: login(`AUTH PLAIN ${guest}`), needs: 'AUTH' }),
      ];
    },
  },
  {
    id: 'R31',
    title: 'content by BDAT instead of DATA',
    level: 'active',
    attempts: (place) => [plain(place, 'BDAT', { by: 'bdat', needs: 'CHUNKING' })],
  },
];

function login(line: string): Attempt['before'] {
  return [{ line, must: '235' }];
}

function xclientAddress(address: string): string {
  return address.includes(':') ? `IPV6:${address}` : address;
}

/** The PROXY protocol, version 1: one line. */
export function proxyV1(from: string): Uint8Array {
  return fromLatin1(`PROXY TCP4 ${from} 127.0.0.1 40000 25\r\n`);
}

/** Version 2: signature, PROXY over TCP/IPv4, 12 octets of addresses and ports. */
export function proxyV2(from: string): Uint8Array {
  const signature = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10);
  const octets = from.split('.').map(Number);
  const ports = Uint8Array.of(156, 64, 0, 25);
  return concat([signature, Uint8Array.of(0x21, 0x11, 0, 12, ...octets, 127, 0, 0, 1), ports]);
}
