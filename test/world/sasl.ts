/** Logins as a client makes them, each mechanism written down a second time: nothing of ours in it. */

import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { LineClient } from './line-client.ts';

export interface Login {
  readonly user: string;
  readonly password: string;
}

/** How the protocol begins an exchange, and how it says `go on`. */
interface Framing {
  readonly begin: string;
  readonly challenge: RegExp;
}

const FRAMINGS: Readonly<Record<'smtp' | 'imap' | 'pop3', Framing>> = {
  smtp: { begin: 'AUTH', challenge: /^334 (.*)$/ },
  imap: { begin: 'sasl AUTHENTICATE', challenge: /^\+ (.*)$/ },
  pop3: { begin: 'AUTH', challenge: /^\+ (.*)$/ },
};

/** Logs in with a mechanism; the last answer of the server, whatever it is. */
export async function saslLogin(
  client: LineClient,
  protocol: keyof typeof FRAMINGS,
  mechanism: string,
  login: Login,
): Promise<string> {
  const { begin, challenge } = FRAMINGS[protocol];
  const responses = exchange(client, mechanism, login);
  client.send(`${begin} ${mechanism}\r\n`);
  for (;;) {
    const line = (await client.line()) ?? 'closed';
    const asked = challenge.exec(line)?.[1];
    if (asked === undefined) {
      // Untagged lines of IMAP come before the answer.
      if (line.startsWith('* ')) continue;
      return line;
    }
    const response = responses(Buffer.from(asked, 'base64').toString());
    client.send(`${Buffer.from(response).toString('base64')}\r\n`);
  }
}

function exchange(
  client: LineClient,
  mechanism: string,
  { user, password }: Login,
): (challenge: string) => string {
  switch (mechanism) {
    case 'PLAIN':
      return () => `\0${user}\0${password}`;
    case 'LOGIN':
      return (challenge) => (/^user/i.test(challenge) ? user : password);
    case 'SCRAM-SHA-256':
      return scram('n,,', Buffer.alloc(0), user, password);
    case 'SCRAM-SHA-256-PLUS':
      return scram('p=tls-exporter,,', client.exporter(), user, password);
    default:
      throw new Error(`${mechanism} is not known to this test`);
  }
}

/** RFC 5802 3, RFC 7677. */
function scram(
  header: string,
  binding: Buffer,
  user: string,
  password: string,
): (challenge: string) => string {
  const bare = `n=${user},r=${randomBytes(18).toString('base64')}`;
  let signature = '';
  return (challenge) => {
    if (challenge === '') return header + bare;
    const attributes = new Map(challenge.split(',').map((one) => [one[0], one.slice(2)]));
    if (attributes.has('v')) {
      if (attributes.get('v') !== signature) throw new Error('the server proved nothing');
      return '';
    }
    const salt = Buffer.from(attributes.get('s') ?? '', 'base64');
    const key = pbkdf2Sync(password, salt, Number(attributes.get('i')), 32, 'sha256');
    const clientKey = hmac(key, 'Client Key');
    const bound = Buffer.concat([Buffer.from(header), binding]).toString('base64');
    const unproven = `c=${bound},r=${attributes.get('r')}`;
    const signed = `${bare},${challenge},${unproven}`;
    const stored = createHash('sha256').update(clientKey).digest();
    const proof = hmac(stored, signed).map((octet, at) => octet ^ (clientKey[at] ?? 0));
    signature = hmac(hmac(key, 'Server Key'), signed).toString('base64');
    return `${unproven},p=${Buffer.from(proof).toString('base64')}`;
  };
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
