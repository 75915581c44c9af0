/** SASL: every mechanism and the dialogue around it, fed with lines that no client would send. */

import type { AccountId } from '#base/brand.ts';
import { latin1, utf8 } from '#base/bytes.ts';
import { Secret } from '#base/secret.ts';
import { decodeBase64, encodeBase64 } from '#protocol/sasl/base64.ts';
import { chooseSaslClient } from '#protocol/sasl/client.ts';
import { SaslDialogue, type SaslProgress } from '#protocol/sasl/dialogue.ts';
import type { SaslAnswer, SaslQuestion } from '#protocol/sasl/mechanism.ts';
import { findMechanism, offeredMechanisms } from '#protocol/sasl/offer.ts';
import {
  decodeSaslName,
  encodeSaslName,
  parseAttributes,
  scramKeys,
} from '#protocol/sasl/scram.ts';
import { prepareSasl } from '#protocol/sasl/prepare.ts';
import { Chance } from '../chance.ts';
import { corpus } from '../corpus.ts';
import { expand } from '../grammar.ts';
import { TLS } from '../machine.ts';
import { fields, must, type Target } from '../target.ts';

const NAMES = offeredMechanisms(TLS).map(({ name }) => name);
const IDENTITY = { account: 7 as AccountId, address: 'alice@demo.test' };
const KEYS = scramKeys('pencil', utf8('0123456789abcdef'), 4_096);

/** Lines with US between them; a line that begins with `~` is sent in base64. */
const RULES = {
  start: [
    '{line}',
    '{line}\x1f{line}',
    '{line}\x1f{line}\x1f{line}',
    '~{plain}',
    '~user\x1f~pencil',
    '~{scram}\x1f~{final}',
  ],
  line: [
    '~{plain}',
    '~{scram}',
    '~{final}',
    '=',
    '*',
    '',
    '!!!!',
    'AGFs',
    '~user',
    '~pencil',
    '====',
  ],
  plain: [
    '\0user\0pencil',
    '\0user\0wrong',
    'user\0user\0pencil',
    'x\0user\0pencil',
    'user',
    '\0\0',
    '\0user\0pencil\0',
    '\0us\xffer\0pencil',
    '\0\xc2\xaauser\0pencil',
  ],
  scram: [
    '{gs2}n={name},r={nonce}',
    '{gs2}m=x,n={name},r={nonce}',
    '{gs2}r={nonce},n={name}',
    'n,,',
    '{gs2}n={name}',
  ],
  gs2: ['n,,', 'y,,', 'p=tls-exporter,,', 'p=tls-unique,,', 'n,a=user,', 'n,a=other,', 'x,,', ''],
  name: ['user', 'us=2Cer', 'us=3Der', 'us=XX', '', 'us,er', 'x'],
  nonce: ['abcdefgh', 'a,b', '', '\xff', 'a'],
  final: [
    'c=biws,r=abcdefghserver-nonce-server-nonce,p=AAAA',
    'c=eSws,r=abcdefgh,p=',
    'c=,r=,p=',
    'c=biws,r=abcdefghserver-nonce-server-nonce,x=y,p=AAAA',
    'p=,c=',
  ],
};

export const sasl: Target = {
  name: 'sasl',
  seeds: corpus('src/protocol/sasl'),
  generate: (chance) => expand(RULES, 'start', chance),
  maxOctets: 1_000,
  run({ octets, setup }) {
    const chance = new Chance(setup, 'sasl');
    const lines = fields(octets);
    for (const line of lines) parts(line);
    server(chance, lines.map(encoded));
    client(chance, lines);
  },
};

function encoded(line: string): string {
  return line.startsWith('~') ? encodeBase64(Buffer.from(line.slice(1), 'latin1')) : line;
}

function server(chance: Chance, lines: readonly string[]): void {
  const mechanism = findMechanism(chance.pick(NAMES), offeredMechanisms(TLS));
  if (mechanism === undefined) throw new Error('an offered mechanism is found');
  const nonce = utf8('server-nonce-server-nonce');
  const exchange = new SaslDialogue(mechanism, { secure: TLS, nonce, offered: NAMES });
  let right = false;
  const outside = (question: SaslQuestion): SaslAnswer => {
    const known = question.login === 'user';
    const identity = known ? IDENTITY : undefined;
    if (question.kind === 'scram') {
      if (KEYS === undefined) throw new Error('the password can be prepared');
      return { kind: 'scram', identity, ...KEYS };
    }
    right = known && question.password.reveal() === 'pencil';
    return { kind: 'password', identity: right ? IDENTITY : undefined };
  };
  const rest = [...lines];
  const initial = chance.once(2) ? rest.shift() : undefined;
  let progress: SaslProgress = exchange.begin(initial);
  for (let turns = 0; turns < 20; turns++) {
    if (progress.kind === 'ask') {
      progress = exchange.answer(outside(progress.question));
      continue;
    }
    if (progress.kind === 'authenticated') {
      const proved = right || mechanism.name.startsWith('SCRAM');
      must(proved && mechanism.name !== 'SCRAM-SHA-256', 'only the right password logs in', lines);
    }
    if (progress.kind !== 'challenge') return;
    must(/^[A-Za-z0-9+/]*={0,2}$/.test(progress.text), 'a challenge is base64', progress);
    const line = rest.shift();
    if (line === undefined) return;
    progress = exchange.line(chance.once(2) ? line : Buffer.from(line, 'latin1'));
  }
  must(false, 'an exchange comes to its end', lines);
}

/** A hostile server's challenges to our client. */
function client(chance: Chance, lines: readonly string[]): void {
  const credentials = { login: 'user', password: new Secret('pencil') };
  const context = { credentials, secure: TLS, nonce: utf8('0123456789abcdefgh') };
  const chosen = chooseSaslClient([chance.pick(NAMES), ...lines.slice(0, 1)], context);
  for (const line of lines.slice(1)) {
    const reaction = chosen?.respond(Buffer.from(line, 'latin1'));
    if (reaction?.kind === 'abort') return;
  }
  const scram = chosen?.mechanism.startsWith('SCRAM') === true;
  must(!scram || chosen?.proven === false, 'a server that proved nothing is not believed', lines);
}

function parts(line: string): void {
  const decoded = decodeBase64(line);
  if (decoded !== undefined) must(encodeBase64(decoded) === line, 'one base64 form', line);
  const name = decodeSaslName(line);
  if (name !== undefined) must(decodeSaslName(encodeSaslName(name)) === name, 'names', line);
  for (const [key] of parseAttributes(line) ?? []) must(key.length === 1, 'attributes', line);
  const prepared = prepareSasl(line);
  if (prepared !== undefined) {
    must(
      prepareSasl(prepared) === prepared,
      'a prepared text is prepared',
      line,
      latin1(utf8(prepared)),
    );
  }
}
