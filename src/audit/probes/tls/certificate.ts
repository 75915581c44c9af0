/** A service's certificate: its time, key, signature, uses. What it is trusted for is beside. */

import type { KeyObject, X509Certificate } from 'node:crypto';
import type { Check, Severity } from '../../check.ts';
import { absent, found, inapplicable, type Outcome, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { isInsideName } from '../../inside.ts';
import { isOwnNetwork } from '../../safety/permit.ts';
import { namesOf, sentChain, showCertificates } from '../../tls/certificates.ts';
import { NEW_CERTIFICATE } from './cures.ts';
import { hasTls, severityAt, tlsCheck } from './place.ts';
import { CERTIFICATE_TRUST, trustOutcomes } from './trust.ts';

const FAILS = 'Programs that verify refuse to connect, and their users learn to click it away.';
const STILL = 'The connection is encrypted all the same.';
const BY_OTHERS = 'An attacker needs the means of a state or a large company, or luck.';

function certificateCheck(
  id: string,
  severity: Severity,
  title: string,
  words: readonly [means: string, doesNotMean: string, ...rfc: string[]],
): Check {
  const [means, doesNotMean, ...rfc] = words;
  const whole = { means, doesNotMean, rfc };
  return tlsCheck(`certificate-${id}`, severity, title, whole, NEW_CERTIFICATE);
}

const EXPIRED = certificateCheck('expired', 'high', 'The certificate has expired', [
  FAILS,
  STILL,
  'RFC 5280 4.1.2.5',
]);
const NOT_YET = certificateCheck('not-yet-valid', 'high', 'The certificate is not valid yet', [
  FAILS,
  'It may be a clock that is wrong, here or there.',
  'RFC 5280 4.1.2.5',
]);
const SOON = certificateCheck('expires-soon', 'low', 'The certificate expires within 14 days', [
  'If nobody renews it, programs that verify will refuse to connect.',
  'Certificates of a few days, renewed each day, are always like this.',
  'RFC 5280 4.1.2.5',
]);
const LONG = certificateCheck('lifetime', 'info', 'The certificate is valid for over 398 days', [
  'Programs refuse such certificates of public authorities; a stolen key serves for long.',
  'For an authority of your own it is a matter of taste.',
  'RFC 5280 4.1.2.5',
]);
const SMALL_KEY = certificateCheck('key-small', 'high', "The certificate's key is too small", [
  'The private key can be computed from the certificate.',
  BY_OTHERS,
  'RFC 9325 4.5',
]);
const EXPONENT = certificateCheck('rsa-exponent', 'low', 'The RSA exponent is under 65537', [
  'Faults in padding turn into forged signatures with small exponents.',
  'With correct padding it holds.',
  'RFC 8017 3.1',
]);
const WEAK_SIGNATURE = certificateCheck(
  'weak-signature',
  'high',
  'A certificate of the chain is signed with SHA-1 or MD5',
  [
    'A second certificate with the same signature can be made: for another name.',
    BY_OTHERS,
    'RFC 9155 1',
    'RFC 9325 4.5',
  ],
);
const WILDCARD = certificateCheck(
  'wildcard',
  'info',
  'The certificate is for all hosts of a domain',
  [
    'Its key stands on several hosts: the weakest of them gives away all, a browser can be led astray.',
    'It is allowed, and often wanted.',
    'RFC 9525 7.1',
  ],
);
const PRIVATE_NAMES = certificateCheck(
  'private-names',
  'low',
  'The certificate names internal hosts or addresses',
  [
    'It tells strangers how the inside is called; no public authority vouches for such names.',
    'On a private network it is what one wants.',
    'RFC 1918 3',
    'RFC 6761 6',
  ],
);
const NO_NAMES = certificateCheck(
  'without-names',
  'medium',
  'The certificate has no subject alternative name',
  [
    'Programs no longer read the common name: for them it is for nobody.',
    STILL,
    'RFC 9525 6.3',
    'RFC 9525 2',
  ],
);
const USE = certificateCheck('use', 'medium', 'The certificate is not for servers', [
  'Its extended key usage leaves out server authentication: programs that verify refuse it.',
  STILL,
  'RFC 5280 4.2.1.12',
]);
const AUTHORITY = certificateCheck('authority', 'low', "The server's certificate is an authority", [
  'Who takes this key from the server makes certificates for any name, and they count wherever ' +
    'this one was accepted.',
  'Nobody accepts it unless it was installed by hand.',
  'RFC 5280 4.2.1.9',
]);
const SNI_NEEDED = certificateCheck(
  'needs-sni',
  'info',
  'Without SNI there is another certificate',
  [
    'Other mail servers often send no SNI: they get a certificate for another name, or none.',
    'Programs of users send it.',
    'RFC 6066 3',
    'RFC 7672 8.1',
  ],
);

export const tlsCertificate: ServiceProbe = {
  name: 'tls-certificate',
  scope: 'service',
  level: 'safe',
  checks: [
    EXPIRED,
    NOT_YET,
    SOON,
    LONG,
    SMALL_KEY,
    EXPONENT,
    WEAK_SIGNATURE,
    WILDCARD,
    PRIVATE_NAMES,
    NO_NAMES,
    USE,
    AUTHORITY,
    SNI_NEEDED,
    ...CERTIFICATE_TRUST,
  ],
  fits: hasTls,
  run,
};

const DAY_MS = 86_400_000;

async function run(context: ServiceContext): Promise<void> {
  const shown = await showCertificates(context);
  const [leaf] = shown.chain;
  if (leaf === undefined) {
    const why = `no certificate was to be seen: ${shown.why || 'the chain is empty'}`;
    for (const check of tlsCertificate.checks) context.tell(unclear(check, why));
    return;
  }
  const outcomes = [
    ...times(leaf, context.world.clock.now()),
    ...keyOutcomes(leaf),
    signatures(shown.chain),
    ...nameOutcomes(leaf),
    ...uses(leaf),
    ...trustOutcomes(context, shown, leaf),
    await sniNeeded(context, leaf, shown.exact),
  ];
  for (const outcome of outcomes) {
    context.tell({ ...outcome, severity: severityAt(context.service, outcome.severity) });
  }
}

function times(leaf: X509Certificate, nowMs: number): readonly Outcome[] {
  const from = leaf.validFromDate.getTime();
  const to = leaf.validToDate.getTime();
  const seen = `valid from ${day(from)} to ${day(to)}`;
  if (!Number.isFinite(from) || !Number.isFinite(to)) {
    return [EXPIRED, NOT_YET, SOON, LONG].map((check) => unclear(check, 'its dates are not read'));
  }
  const leftDays = (to - nowMs) / DAY_MS;
  const left = `it ends in ${Math.floor(leftDays)} days`;
  const soon = leftDays >= 0 && leftDays < 14;
  const severity = leftDays < 3 ? 'medium' : 'low';
  const days = Math.floor((to - from) / DAY_MS);
  return [
    (to < nowMs ? found : absent)(EXPIRED, seen),
    (from > nowMs ? found : absent)(NOT_YET, seen),
    soon && to - from > 14 * DAY_MS ? found(SOON, left, { severity }) : absent(SOON, seen),
    (days > 398 ? found : absent)(LONG, `${days} days`),
  ];
}

function keyOutcomes(leaf: X509Certificate): readonly Outcome[] {
  let key: KeyObject;
  try {
    key = leaf.publicKey;
  } catch {
    return [SMALL_KEY, EXPONENT].map((check) =>
      unclear(check, 'its key is of a kind not known here'),
    );
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key;
  const { modulusLength: bits = 0, namedCurve = '', publicExponent } = details;
  if (type === 'ec') {
    const small = CURVE_BITS.get(namedCurve) ?? 256;
    const seen = `a curve: ${namedCurve}`;
    return [
      small < 224 ? found(SMALL_KEY, seen) : absent(SMALL_KEY, seen),
      inapplicable(EXPONENT, 'the key is not RSA'),
    ];
  }
  if (type !== 'rsa' && type !== 'rsa-pss' && type !== 'dsa') {
    return [absent(SMALL_KEY, `${type}`), inapplicable(EXPONENT, 'the key is not RSA')];
  }
  const seen = `${type.toUpperCase()} with ${bits} bits`;
  const severity = bits <= 1_024 ? 'high' : 'medium';
  return [
    bits < 2_048
      ? found(SMALL_KEY, seen, { severity, details: { bits } })
      : absent(SMALL_KEY, seen),
    publicExponent === undefined
      ? inapplicable(EXPONENT, 'the key is not RSA')
      : publicExponent < 65_537n
        ? found(EXPONENT, `it is ${publicExponent}`)
        : absent(EXPONENT, `it is ${publicExponent}`),
  ];
}

const CURVE_BITS: ReadonlyMap<string, number> = new Map([
  ['prime192v1', 192],
  ['secp160r1', 160],
  ['secp192k1', 192],
]);

/** A root's own signature proves nothing and is not looked at. */
function signatures(chain: readonly X509Certificate[]): Outcome {
  for (const [depth, certificate] of chain.entries()) {
    const { signatureAlgorithm = '', subject, issuer } = certificate;
    if (depth > 0 && subject === issuer) continue;
    if (!/md[245]|sha-?1(?!\d)/i.test(signatureAlgorithm)) continue;
    const severity = depth === 0 ? 'high' : 'medium';
    return found(WEAK_SIGNATURE, `certificate ${depth}: ${signatureAlgorithm}`, { severity });
  }
  return absent(WEAK_SIGNATURE, chain[0]?.signatureAlgorithm ?? 'no weak one');
}

function nameOutcomes(leaf: X509Certificate): readonly Outcome[] {
  const names = namesOf(leaf);
  if (names.length === 0) {
    const outcomes = [WILDCARD, PRIVATE_NAMES].map((check) =>
      inapplicable(check, 'it has no names'),
    );
    return [found(NO_NAMES, `only the subject: ${oneLine(leaf.subject)}`), ...outcomes];
  }
  const shown = `for ${names.slice(0, 5).map(oneLine).join(', ')}`;
  const wild = names.find((name) => name.startsWith('*'));
  const inside = names.filter(isPrivate).slice(0, 5).map(oneLine).join(', ');
  return [
    absent(NO_NAMES, shown),
    wild === undefined ? absent(WILDCARD, shown) : found(WILDCARD, oneLine(wild)),
    inside === '' ? absent(PRIVATE_NAMES, shown) : found(PRIVATE_NAMES, inside),
  ];
}

function isPrivate(name: string): boolean {
  const isShort = !name.includes('.') && !name.includes(':');
  return isShort || isInsideName(name) || isOwnNetwork(name);
}

function uses(leaf: X509Certificate): readonly Outcome[] {
  // Node calls the extended key usage so, and has undefined where there is none.
  const all: readonly string[] | undefined = leaf.keyUsage;
  const fits =
    all === undefined || all.includes('1.3.6.1.5.5.7.3.1') || all.includes('2.5.29.37.0');
  return [
    fits ? absent(USE, 'server authentication is allowed') : found(USE, `only ${all.join(', ')}`),
    leaf.ca
      ? found(AUTHORITY, 'its basic constraints say that it may sign others')
      : absent(AUTHORITY, 'it may not sign others'),
  ];
}

async function sniNeeded(
  context: ServiceContext,
  leaf: X509Certificate,
  exact: boolean,
): Promise<Outcome> {
  if (/^[\d.]+$|:/.test(context.service.host)) {
    return inapplicable(SNI_NEEDED, 'the target is an address: no SNI was sent');
  }
  if (!exact) return inapplicable(SNI_NEEDED, 'only TLS 1.3 is spoken here, or two kinds of keys');
  // An address never goes into SNI.
  const [bare] = await sentChain(context, '192.0.2.1');
  if (bare === undefined) return found(SNI_NEEDED, 'without SNI the handshake does not go on');
  if (bare.fingerprint256 === leaf.fingerprint256) return absent(SNI_NEEDED, 'it is the same one');
  return found(
    SNI_NEEDED,
    `without SNI it is for ${namesOf(bare).slice(0, 5).map(oneLine).join(', ')}`,
  );
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Names in certificates are a stranger's text. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').slice(0, 120);
}
