/** Which ciphers are taken: broken ones by kind, forward secrecy, and who chooses. */

import type { Check } from '../../check.ts';
import { absent, found, inapplicable, type Outcome, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { askHello } from '../../tls/ask.ts';
import { EVERYTHING, ORDINARY } from '../../tls/client-hello.ts';
import { EXTENSION, SUITES, suiteName } from '../../tls/codes.ts';
import type { HelloAnswer, ServerFlight } from '../../tls/flight.ts';
import { STRONG_CIPHERS } from './cures.ts';
import { hasTls, severityAt, tlsCheck } from './place.ts';

type Kind = 'null' | 'anonymous' | 'export' | 'des' | 'rc4' | 'tripleDes';

const NOT_USED = 'Programs of today do not offer it: somebody in the middle must want it.';

function weak(
  id: string,
  severity: Check['severity'],
  title: string,
  means: string,
  rfc: readonly string[],
): Check {
  return tlsCheck(id, severity, title, { means, doesNotMean: NOT_USED, rfc }, STRONG_CIPHERS);
}

const WEAK: ReadonlyMap<Kind, Check> = new Map([
  [
    'null',
    weak(
      'null-cipher',
      'high',
      'A cipher without encryption is taken',
      'Anyone on the way reads all of it.',
      ['RFC 9325 4.1'],
    ),
  ],
  [
    'anonymous',
    weak(
      'anonymous-cipher',
      'high',
      'A key exchange without a certificate is taken',
      'Whoever sits in the middle is the server: nothing says who answers.',
      ['RFC 9325 4.1', 'RFC 5246 F.1.1.1'],
    ),
  ],
  [
    'export',
    weak(
      'export-cipher',
      'high',
      'An export cipher is taken',
      'Keys of 40 or 512 bits are found in hours, and with them sessions can be forged (FREAK, Logjam).',
      ['RFC 9325 4.1'],
    ),
  ],
  [
    'des',
    weak('des-cipher', 'high', 'DES is taken', 'Its key of 56 bits is found in a day.', [
      'RFC 9325 4.1',
      'RFC 5469 2',
    ]),
  ],
  [
    'rc4',
    weak(
      'rc4-cipher',
      'high',
      'RC4 is taken',
      'Passwords come out of many sessions that repeat them.',
      ['RFC 7465 2', 'RFC 9325 4.1'],
    ),
  ],
  [
    'tripleDes',
    weak(
      'triple-des-cipher',
      'medium',
      'A cipher with blocks of 64 bits (3DES, IDEA) is taken',
      'After some dozens of gigabytes in one session octets come out (Sweet32).',
      ['RFC 9325 4.1', 'RFC 9325 4.4'],
    ),
  ],
]);

const STATIC_RSA = weak(
  'static-rsa',
  'low',
  'A key exchange without forward secrecy (static RSA) is taken',
  'Who steals the private key later reads what was recorded; wrong error answers gave it away (ROBOT).',
  ['RFC 9325 4.1'],
);
const NO_SECRECY = weak(
  'no-forward-secrecy',
  'medium',
  'No key exchange with forward secrecy is taken',
  'Whoever records today and steals the private key later reads all of it.',
  ['RFC 9325 4.1', 'RFC 9325 7.3'],
);
const CBC = weak(
  'cbc-cipher',
  'info',
  'Ciphers in CBC mode are taken',
  'Libraries leaked through the time that padding takes (Lucky Thirteen).',
  ['RFC 9325 4.2.1'],
);
const ENCRYPT_THEN_MAC = weak(
  'no-encrypt-then-mac',
  'info',
  'CBC without encrypt-then-MAC',
  'Padding is looked at before the octets are known to be whole.',
  ['RFC 7366 2', 'RFC 9325 4.2.1'],
);
const PREFERENCE = weak(
  'client-preference',
  'info',
  "The client's order of ciphers decides",
  'A program with an old order gets a weaker cipher than both could speak.',
  ['RFC 9325 4.2.1'],
);

export const tlsCiphers: ServiceProbe = {
  name: 'tls-ciphers',
  scope: 'service',
  level: 'safe',
  checks: [...WEAK.values(), STATIC_RSA, NO_SECRECY, CBC, ENCRYPT_THEN_MAC, PREFERENCE],
  fits: hasTls,
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const asked = (suites: readonly number[]): Promise<HelloAnswer> =>
    askHello(context, { version: 'TLSv1.2', suites });
  const tell = (outcome: Outcome): void => {
    context.tell({ ...outcome, severity: severityAt(context.service, outcome.severity) });
  };
  const first = await asked(ORDINARY);
  const control = first.kind === 'hello' ? first : await asked(EVERYTHING);
  if (control.kind !== 'hello') return cannotTell(context, control.why);
  for (const outcome of await weakOnes(asked)) tell(outcome);
  const rsa = isOf(control, SUITES.staticRsa) ? control : await asked(SUITES.staticRsa);
  tell(judged(STATIC_RSA, rsa, SUITES.staticRsa));
  tell(await secrecy(asked, control));
  const cbc = await asked(SUITES.cbc);
  tell(judged(CBC, cbc, SUITES.cbc));
  tell(encryptThenMac(cbc));
  tell(await preference(asked, first));
}

/** A server of TLS 1.3 alone has none of it; silence is another matter. */
async function cannotTell(context: ServiceContext, why: string): Promise<void> {
  const newest = await askHello(context, { version: 'TLSv1.3', suites: SUITES.tls13 });
  for (const check of tlsCiphers.checks) {
    context.tell(
      newest.kind === 'hello'
        ? inapplicable(check, 'only TLS 1.3 is spoken')
        : unclear(check, `no hello is answered with TLS: ${why}`),
    );
  }
}

type Asked = (suites: readonly number[]) => Promise<HelloAnswer>;

/** One question for all of them; only where one is taken, one more for each of the others. */
async function weakOnes(asked: Asked): Promise<readonly Outcome[]> {
  const kinds = [...WEAK.keys()];
  const all = kinds.flatMap((kind) => SUITES[kind]);
  const any = await asked(all);
  const outcomes: Outcome[] = [];
  for (const [kind, check] of WEAK) {
    const sure = any.kind !== 'hello' || isOf(any, SUITES[kind]);
    outcomes.push(judged(check, sure ? any : await asked(SUITES[kind]), SUITES[kind]));
  }
  return outcomes;
}

function judged(check: Check, answer: HelloAnswer, suites: readonly number[]): Outcome {
  // The same server took ordinary ciphers: a refusal is one of these ciphers.
  const controls = { sanity: { passed: 1, of: 1 } };
  if (answer.kind === 'unclear') return unclear(check, answer.why);
  if (answer.kind === 'refused') {
    return absent(check, `${suites.length} ciphers offered: ${answer.why}`, { controls });
  }
  const seen = `chosen: ${suiteName(answer.suite)}`;
  if (isOf(answer, suites)) return found(check, seen, { controls });
  return unclear(check, `a cipher that was not offered was ${seen}`);
}

async function secrecy(asked: Asked, control: ServerFlight): Promise<Outcome> {
  const fresh = [...SUITES.good, ...SUITES.chacha, ...SUITES.dhe, ...SUITES.cbc];
  const answer = isOf(control, fresh) ? control : await asked(fresh);
  if (answer.kind === 'unclear') return unclear(NO_SECRECY, answer.why);
  // Without a certificate there are fresh keys all the same, and another check.
  if (answer.kind === 'refused' && isOf(control, SUITES.anonymous)) {
    return absent(NO_SECRECY, `chosen: ${suiteName(control.suite)}`);
  }
  return answer.kind === 'hello'
    ? absent(NO_SECRECY, `chosen: ${suiteName(answer.suite)}`)
    : found(NO_SECRECY, `${fresh.length} ciphers with it offered: ${answer.why}`);
}

function encryptThenMac(cbc: HelloAnswer): Outcome {
  if (cbc.kind !== 'hello') return inapplicable(ENCRYPT_THEN_MAC, 'no cipher in CBC mode is taken');
  return cbc.extensions.has(EXTENSION.encryptThenMac)
    ? absent(ENCRYPT_THEN_MAC, 'it is agreed')
    : found(ENCRYPT_THEN_MAC, `offered, and not taken with ${suiteName(cbc.suite)}`);
}

/** The same suites from both ends: a server with an order of its own chooses the same one. */
async function preference(asked: Asked, first: HelloAnswer): Promise<Outcome> {
  const reversed = SUITES.good.toReversed();
  if (first.kind !== 'hello' || !isOf(first, SUITES.good)) {
    return inapplicable(PREFERENCE, 'ECDHE with AES-GCM is not what it chooses');
  }
  const second = await asked(reversed);
  if (second.kind !== 'hello') return unclear(PREFERENCE, second.why);
  const seen = `${suiteName(first.suite)}, then with the order turned ${suiteName(second.suite)}`;
  return first.suite === second.suite ? absent(PREFERENCE, seen) : found(PREFERENCE, seen);
}

function isOf({ suite }: ServerFlight, suites: readonly number[]): boolean {
  return suites.includes(suite);
}
