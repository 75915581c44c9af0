/** What else a handshake agrees on: compression, renegotiation, secrets, curves, hashes, ALPN. */

import { absent, found, inapplicable, type Outcome, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { askHello } from '../../tls/ask.ts';
import { EVERYTHING } from '../../tls/client-hello.ts';
import { EXTENSION, GROUPS, SIGNATURES, SUITES, VERSIONS } from '../../tls/codes.ts';
import {
  curveOf,
  curveSignature,
  type HelloAnswer,
  primeBits,
  type ServerFlight,
} from '../../tls/flight.ts';
import { NEW_LIBRARY, STRONG_CIPHERS, STRONG_GROUPS } from './cures.ts';
import { hasTls, severityAt, tlsCheck } from './place.ts';

const COMPRESSION = tlsCheck(
  'compression',
  'medium',
  'TLS compresses',
  {
    means: 'The length of what is sent tells secrets to whoever can add text of his own (CRIME).',
    doesNotMean: 'Mail programs repeat secrets less often than browsers do.',
    rfc: ['RFC 9325 3.3', 'RFC 8446 4.1.2'],
  },
  NEW_LIBRARY,
);
const RENEGOTIATION = tlsCheck(
  'renegotiation-unsafe',
  'medium',
  'Secure renegotiation is not supported',
  {
    means: 'Somebody in the middle can put his own commands before those of a victim.',
    doesNotMean: 'A server that never renegotiates is safe all the same; its clients cannot know.',
    rfc: ['RFC 5746 3.6', 'RFC 9325 3.5'],
  },
  NEW_LIBRARY,
);
const MASTER_SECRET = tlsCheck(
  'no-extended-master-secret',
  'low',
  'The extended master secret is not supported',
  {
    means: 'Two sessions can be made to share a secret: channel bindings prove nothing then.',
    doesNotMean: 'An attacker must be a server that the victim logs in to by himself.',
    rfc: ['RFC 7627 5.2', 'RFC 9325 3.5'],
  },
  NEW_LIBRARY,
);
const HEARTBEAT = tlsCheck(
  'heartbeat',
  'low',
  'The heartbeat extension is agreed',
  {
    means: 'It is what Heartbleed read memory through, and nothing in mail needs it.',
    doesNotMean: 'It does not say that this server is vulnerable: no heartbeat was sent.',
    rfc: ['RFC 6520 2'],
  },
  NEW_LIBRARY,
);
const SMALL_PRIME = tlsCheck(
  'dh-small',
  'medium',
  'Diffie-Hellman with fewer than 2048 bits',
  {
    means: 'For 1024 bits and a prime that many share, large attackers compute the keys (Logjam).',
    doesNotMean: 'Programs that speak elliptic curves do not use it.',
    rfc: ['RFC 9325 4.1', 'RFC 9325 4.5', 'RFC 7919 1'],
  },
  STRONG_GROUPS,
);
const WEAK_CURVE = tlsCheck(
  'weak-curve',
  'medium',
  'A curve of fewer than 224 bits is taken',
  {
    means: 'Keys of 160 bits come within reach of large attackers.',
    doesNotMean: 'Programs of today offer better curves, and get them.',
    rfc: ['RFC 8422 5.1.1', 'RFC 9325 4.5'],
  },
  STRONG_GROUPS,
);
const WEAK_HASH = tlsCheck(
  'sha1-signature',
  'low',
  'The handshake is signed with SHA-1 or MD5 when asked',
  {
    means: 'Whoever makes collisions in time could stand in for the server.',
    doesNotMean: 'It is about the handshake, not about the certificate.',
    rfc: ['RFC 9155 4', 'RFC 9155 5'],
  },
  STRONG_CIPHERS,
);
const ALPN = tlsCheck(
  'alpn-ignored',
  'info',
  'A client that wants to speak HTTP is let in (ALPN is not looked at)',
  {
    means:
      'A browser can be led to a mail server that holds a certificate for the same name (ALPACA).',
    doesNotMean: 'Servers that close on HTTP, and names of their own, leave little of it.',
    rfc: ['RFC 9325 3.8', 'RFC 7301 3.2'],
  },
  [
    { product: 'postfix', lines: ['Update: Postfix does not look at ALPN before 3.9.'] },
    { product: 'exim', lines: ['hosts_require_alpn = *', 'tls_alpn = smtp'] },
    { product: 'postern', lines: ['Give mail a host name and a certificate of its own.'] },
  ],
);

export const tlsAgreement: ServiceProbe = {
  name: 'tls-agreement',
  scope: 'service',
  level: 'safe',
  checks: [
    COMPRESSION,
    RENEGOTIATION,
    MASTER_SECRET,
    HEARTBEAT,
    SMALL_PRIME,
    WEAK_CURVE,
    WEAK_HASH,
    ALPN,
  ],
  fits: hasTls,
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const version = 'TLSv1.2';
  const control = await askHello(context, { version, suites: EVERYTHING, compression: true });
  if (control.kind !== 'hello') return cannotTell(context, control);
  const tell = (outcome: Outcome): void => {
    context.tell({ ...outcome, severity: severityAt(context.service, outcome.severity) });
  };
  for (const outcome of agreed(control)) tell(outcome);
  tell(prime(await askHello(context, { version, suites: SUITES.dhe })));
  const curves = [...SUITES.good, ...SUITES.cbc, ...SUITES.chacha];
  tell(curve(await askHello(context, { version, suites: curves, groups: GROUPS.weak })));
  if (control.version < VERSIONS['TLSv1.2']) {
    tell(inapplicable(WEAK_HASH, 'before TLS 1.2 there was no choice of hashes'));
  } else {
    const { weak: signatures } = SIGNATURES;
    tell(hash(await askHello(context, { version, suites: SUITES.good, signatures })));
  }
  const http = await askHello(context, { version, suites: EVERYTHING, alpn: ['http/1.1'] });
  if (http.kind === 'unclear') tell(unclear(ALPN, http.why));
  else if (http.kind === 'refused')
    tell(absent(ALPN, `http/1.1 alone is answered with ${http.why}`));
  else tell(found(ALPN, 'http/1.1 alone is offered, and the handshake goes on'));
}

async function cannotTell(
  context: ServiceContext,
  { why }: Exclude<HelloAnswer, ServerFlight>,
): Promise<void> {
  const newest = await askHello(context, { version: 'TLSv1.3', suites: SUITES.tls13 });
  for (const check of tlsAgreement.checks) {
    context.tell(
      newest.kind === 'hello'
        ? inapplicable(check, 'only TLS 1.3 is spoken, which settled it')
        : unclear(check, `no hello is answered with TLS: ${why}`),
    );
  }
}

function agreed({ compression, extensions, version }: ServerFlight): readonly Outcome[] {
  const old = version === VERSIONS.SSLv3;
  return [
    compression === 0
      ? absent(COMPRESSION, 'offered, and not taken')
      : found(COMPRESSION, `method ${compression} is taken`),
    extensions.has(EXTENSION.renegotiation)
      ? absent(RENEGOTIATION, 'renegotiation_info is in the answer')
      : found(RENEGOTIATION, 'renegotiation_info was offered and is not in the answer'),
    old
      ? inapplicable(MASTER_SECRET, 'SSLv3 has none')
      : extensions.has(EXTENSION.extendedMasterSecret)
        ? absent(MASTER_SECRET, 'it is in the answer')
        : found(MASTER_SECRET, 'it was offered and is not in the answer'),
    extensions.has(EXTENSION.heartbeat)
      ? found(HEARTBEAT, 'it is in the answer')
      : absent(HEARTBEAT, 'offered, and not taken'),
  ];
}

function prime(answer: HelloAnswer): Outcome {
  if (answer.kind === 'unclear') return unclear(SMALL_PRIME, answer.why);
  if (answer.kind === 'refused')
    return inapplicable(SMALL_PRIME, `no such key exchange: ${answer.why}`);
  const bits = answer.keyExchange === undefined ? undefined : primeBits(answer.keyExchange);
  if (bits === undefined) return unclear(SMALL_PRIME, 'the ServerKeyExchange was not to be read');
  const seen = `its prime has ${bits} bits`;
  if (bits >= 2_048) return absent(SMALL_PRIME, seen);
  return found(SMALL_PRIME, seen, {
    severity: bits < 1_024 ? 'high' : bits < 1_536 ? 'medium' : 'low',
    details: { bits },
  });
}

function curve(answer: HelloAnswer): Outcome {
  if (answer.kind === 'unclear') return unclear(WEAK_CURVE, answer.why);
  if (answer.kind === 'refused') return absent(WEAK_CURVE, `only weak ones offered: ${answer.why}`);
  const chosen = answer.keyExchange === undefined ? undefined : curveOf(answer.keyExchange);
  if (chosen === undefined || !GROUPS.weak.some((one) => one === chosen)) {
    return absent(WEAK_CURVE, 'only weak ones offered, none of them is used');
  }
  return found(WEAK_CURVE, `curve ${chosen} of IANA's list is used`);
}

function hash(answer: HelloAnswer): Outcome {
  if (answer.kind === 'unclear') return unclear(WEAK_HASH, answer.why);
  if (answer.kind === 'refused') return absent(WEAK_HASH, `only weak ones offered: ${answer.why}`);
  const { keyExchange } = answer;
  const chosen = keyExchange === undefined ? undefined : curveSignature(keyExchange);
  if (chosen === undefined || !SIGNATURES.weak.some((one) => one === chosen)) {
    return absent(WEAK_HASH, 'only weak ones offered, none of them is used');
  }
  return found(WEAK_HASH, `signed with 0x${chosen.toString(16).padStart(4, '0')}`);
}
