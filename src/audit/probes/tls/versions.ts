/** Which versions of TLS (and SSL) are spoken, and how a server behaves when one is chosen. */

import type { Check } from '../../check.ts';
import { absent, found, inapplicable, type Outcome, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { askHello, askSslv2 } from '../../tls/ask.ts';
import { EVERYTHING, ORDINARY, WITHOUT_PRIMES } from '../../tls/client-hello.ts';
import { FALLBACK_SCSV, SUITES, type Version, versionName, VERSIONS } from '../../tls/codes.ts';
import type { HelloAnswer, ServerFlight } from '../../tls/flight.ts';
import { NEW_LIBRARY, NEW_VERSIONS } from './cures.ts';
import { hasTls, severityAt, tlsCheck } from './place.ts';

const OLD_MEANS =
  'Whoever sits in the middle makes both sides fall back to it and attacks what it lacks; ' +
  'passwords and mail can come out.';
const OLD_NOT = 'Programs that speak something newer use that, unless somebody interferes.';

const SSL2 = tlsCheck(
  'sslv2',
  'high',
  'SSLv2 is spoken',
  {
    means:
      'The protocol is broken, and an answer to it decrypts newer sessions under the same key (DROWN), ' +
      'also those of other ports and hosts.',
    doesNotMean: 'No attack was tried; only the greeting of SSLv2 was exchanged.',
    rfc: ['RFC 6176 3'],
  },
  NEW_VERSIONS,
);
const SSL3 = tlsCheck(
  'sslv3',
  'high',
  'SSLv3 is spoken',
  {
    means: `${OLD_MEANS} Its padding lets octets be guessed (POODLE).`,
    doesNotMean: OLD_NOT,
    rfc: ['RFC 7568 3'],
  },
  NEW_VERSIONS,
);
const TLS10 = tlsCheck(
  'tls10',
  'high',
  'TLS 1.0 is spoken',
  { means: OLD_MEANS, doesNotMean: OLD_NOT, rfc: ['RFC 8996 4', 'RFC 9325 3.1.1'] },
  NEW_VERSIONS,
);
const TLS11 = tlsCheck(
  'tls11',
  'medium',
  'TLS 1.1 is spoken',
  { means: OLD_MEANS, doesNotMean: OLD_NOT, rfc: ['RFC 8996 5', 'RFC 9325 3.1.1'] },
  NEW_VERSIONS,
);
const NO_TLS12 = tlsCheck(
  'no-tls12',
  'high',
  'Neither TLS 1.2 nor 1.3 is spoken',
  {
    means:
      'Programs of today cannot connect, or go on in clear; those that can are badly protected.',
    doesNotMean: 'It says nothing of whether the certificate is good.',
    rfc: ['RFC 9325 3.1.1', 'RFC 8314 4.1'],
  },
  NEW_VERSIONS,
);
const NO_TLS13 = tlsCheck(
  'no-tls13',
  'info',
  'TLS 1.3 is not spoken',
  {
    means: 'Sessions begin more slowly, and certificates are readable on the way.',
    doesNotMean: 'TLS 1.2 with good ciphers is not broken.',
    rfc: ['RFC 9325 3.1.1', 'RFC 8446 1'],
  },
  [
    { product: 'postfix', lines: ['Update OpenSSL to 1.1.1 or newer.'] },
    { product: 'dovecot', lines: ['Update OpenSSL to 1.1.1 or newer.'] },
    { product: 'exim', lines: ['Update GnuTLS to 3.6 or OpenSSL to 1.1.1.'] },
  ],
);
const FALLBACK = tlsCheck(
  'no-fallback-scsv',
  'low',
  'A repeated hello with an older version is taken (no TLS_FALLBACK_SCSV)',
  {
    means: 'Whoever breaks the first try makes a careless program use an older version.',
    doesNotMean: 'Programs that never try again with less are not touched by it.',
    rfc: ['RFC 7507 3', 'RFC 9325 3.2'],
  },
  NEW_LIBRARY,
);
const SENTINEL = tlsCheck(
  'no-downgrade-mark',
  'low',
  'A server of TLS 1.3 does not mark that it spoke an older version',
  {
    means: 'A program cannot see that somebody took TLS 1.3 out of its hello.',
    doesNotMean: 'Some boxes that end TLS for others do this without an attack.',
    rfc: ['RFC 8446 4.1.3'],
  },
  NEW_LIBRARY,
);
const INTOLERANT = tlsCheck(
  'intolerant',
  'low',
  'A hello with values it does not know is refused',
  {
    means: 'New versions and extensions cannot be tried: programs fail, or fall back to less.',
    doesNotMean: 'Nothing is readable because of it.',
    rfc: ['RFC 8701 3', 'RFC 8446 4.1.2'],
  },
  NEW_LIBRARY,
);
const REPEATED = tlsCheck(
  'random-repeated',
  'critical',
  'The same random value came twice',
  {
    means: 'The keys of all sessions rest on it: whoever knows it ahead reads along and logs in.',
    doesNotMean: 'It does not say why: a copied machine, a broken generator, a mock.',
    rfc: ['RFC 8446 4.1.3', 'RFC 5246 7.4.1.3', 'RFC 4086 1'],
  },
  NEW_LIBRARY,
);

const OLD: readonly (readonly [Version, Check])[] = [
  ['TLSv1.1', TLS11],
  ['TLSv1.0', TLS10],
  ['SSLv3', SSL3],
];

export const tlsVersions: ServiceProbe = {
  name: 'tls-versions',
  scope: 'service',
  level: 'safe',
  checks: [SSL2, SSL3, TLS10, TLS11, NO_TLS12, NO_TLS13, FALLBACK, SENTINEL, INTOLERANT, REPEATED],
  fits: hasTls,
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const flights: ServerFlight[] = [];
  const note = (answer: HelloAnswer): HelloAnswer => {
    if (answer.kind === 'hello') flights.push(answer);
    return answer;
  };
  const suites = [...SUITES.tls13, ...ORDINARY];
  const newest = { version: 'TLSv1.3', suites } as const;
  const odd = note(await askHello(context, { ...newest, grease: true }));
  const plain = odd.kind === 'hello' ? odd : note(await askHello(context, newest));
  if (plain.kind === 'unclear') return cannotTell(context, plain.why);
  const ordinary = note(await askHello(context, { version: 'TLSv1.2', suites: EVERYTHING }));
  const old = await oldVersions(context, note);
  if (flights.length === 0) return cannotTell(context, textOf(ordinary));
  for (const outcome of old) context.tell(atPort(context, outcome));
  context.tell(atPort(context, await sslv2(context)));
  context.tell(
    odd.kind !== 'hello' && plain.kind === 'hello'
      ? found(INTOLERANT, `with unknown values: ${odd.why}; without: ${said(plain)}`)
      : absent(INTOLERANT, 'unknown values are passed over'),
  );
  for (const outcome of modern(plain, ordinary)) context.tell(atPort(context, outcome));
  context.tell(atPort(context, await fallback(context, flights)));
  context.tell(repeated(flights));
}

function cannotTell(context: ServiceContext, why: string): void {
  const reason = `no hello is answered with TLS: ${why}`;
  for (const check of tlsVersions.checks) context.tell(unclear(check, reason));
}

/** From the newest old version down: each answer says which is the highest that is left. */
async function oldVersions(
  context: ServiceContext,
  note: (answer: HelloAnswer) => HelloAnswer,
): Promise<readonly Outcome[]> {
  const outcomes = new Map<Version, Outcome>();
  let refused: string | undefined;
  for (const [version, check] of OLD) {
    if (outcomes.has(version)) continue;
    if (refused !== undefined) {
      outcomes.set(version, absent(check, refused));
      continue;
    }
    let answer = note(await askHello(context, { version, suites: EVERYTHING }));
    // Only an alert that names the version is sure: else it may be a cipher it failed at.
    if (answer.kind === 'refused' && answer.alert !== PROTOCOL_VERSION) {
      answer = note(await askHello(context, { version, suites: WITHOUT_PRIMES }));
    }
    if (answer.kind === 'unclear') outcomes.set(version, unclear(check, answer.why));
    else if (answer.kind === 'refused') {
      refused = `a hello with ${version} at most is answered with ${answer.why}`;
      outcomes.set(version, absent(check, refused));
    } else {
      for (const [lower, its] of OLD) {
        if (VERSIONS[lower] > VERSIONS[version] || VERSIONS[lower] < answer.version) continue;
        const isIt = VERSIONS[lower] === answer.version;
        outcomes.set(lower, (isIt ? found : absent)(its, said(answer)));
      }
      if (!outcomes.has(version)) outcomes.set(version, absent(check, said(answer)));
    }
  }
  return [...outcomes.values()];
}

const PROTOCOL_VERSION = 70;

async function sslv2(context: ServiceContext): Promise<Outcome> {
  const answer = await askSslv2(context);
  if (answer === 'spoken') return found(SSL2, 'a hello of SSLv2 is answered in SSLv2');
  // A server that waits for the rest of a TLS record has not understood SSLv2.
  if (answer.kind === 'unclear' && answer.silent !== true) return unclear(SSL2, answer.why);
  return absent(SSL2, answer.kind === 'hello' ? said(answer) : `not answered: ${answer.why}`);
}

function modern(newest: HelloAnswer, ordinary: HelloAnswer): Outcome[] {
  const has13 = newest.kind === 'hello' && newest.version === VERSIONS['TLSv1.3'];
  const has12 = ordinary.kind === 'hello' && ordinary.version === VERSIONS['TLSv1.2'];
  const outcomes = [has13 ? absent(NO_TLS13, said(newest)) : found(NO_TLS13, textOf(newest))];
  outcomes.push(
    has12 || has13
      ? absent(NO_TLS12, has13 ? said(newest) : textOf(ordinary))
      : found(NO_TLS12, `${textOf(newest)}; ${textOf(ordinary)}`),
  );
  if (!has13 || !has12) {
    outcomes.push(inapplicable(SENTINEL, 'only one of TLS 1.2 and 1.3 is spoken'));
    return outcomes;
  }
  const marked = Buffer.from(ordinary.random.slice(24)).toString('latin1') === 'DOWNGRD\x01';
  outcomes.push(
    marked
      ? absent(SENTINEL, 'the random value ends as it must')
      : found(SENTINEL, 'asked for TLS 1.2 at most, its random value says nothing of TLS 1.3'),
  );
  return outcomes;
}

/** A hello that says "this is my second try, with less": a server that can do more must refuse. */
async function fallback(
  context: ServiceContext,
  flights: readonly ServerFlight[],
): Promise<Outcome> {
  const spoken = [...new Set(flights.map(({ version }) => version))].sort((a, b) => b - a);
  const below = spoken.find((version) => version < (spoken[0] ?? 0));
  const name = Object.entries(VERSIONS).find(([, number]) => number === below)?.[0];
  if (name === undefined) return inapplicable(FALLBACK, 'only one version is spoken');
  const version = name as Version;
  const answer = await askHello(context, { version, suites: [...EVERYTHING, FALLBACK_SCSV] });
  const controls = { negative: { passed: 1, of: 1 } };
  if (answer.kind === 'unclear') return unclear(FALLBACK, answer.why);
  if (answer.kind === 'refused') return absent(FALLBACK, `refused: ${answer.why}`, { controls });
  return found(FALLBACK, `a second try with ${version} at most is taken: ${said(answer)}`, {
    controls,
  });
}

function repeated(flights: readonly ServerFlight[]): Outcome {
  const all = flights.map(({ random }) => Buffer.from(random).toString('hex'));
  const twice = all.find((one, at) => all.indexOf(one) !== at);
  return twice === undefined
    ? absent(REPEATED, `${all.length} random values, all different`)
    : found(REPEATED, `${twice.slice(0, 16)}... came more than once in ${all.length} hellos`);
}

function atPort({ service }: ServiceContext, outcome: Outcome): Outcome {
  // DROWN works from any port against all others with that key.
  if (outcome.check === SSL2) {
    return { ...outcome, severity: service.role === 'reception' ? 'medium' : 'high' };
  }
  return { ...outcome, severity: severityAt(service, outcome.severity) };
}

function said({ version }: ServerFlight): string {
  return `the answer is ${versionName(version)}`;
}

function textOf(answer: HelloAnswer): string {
  return answer.kind === 'hello' ? said(answer) : `no ServerHello: ${answer.why}`;
}
