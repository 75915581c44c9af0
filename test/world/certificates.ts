/** Certificates for tests: a small authority that signs what a test needs, also wrong ones. */

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  type KeyObject,
} from 'node:crypto';
import { isIPv4 } from 'node:net';

export interface TestCertificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

export interface TestCertificateOptions {
  /** Subject alternative names: DNS names and IP addresses. */
  readonly names: readonly string[];
  /** undefined: self-signed. */
  readonly issuer?: TestAuthority;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Default: a P-256 key. */
  readonly key?: TestKey;
  /** Of the signature. Default SHA-256. */
  readonly hash?: TestHash;
  /** Object identifiers of the extended key usage; undefined: none. */
  readonly uses?: readonly (readonly number[])[];
  /** Says that it may sign others. */
  readonly isAuthority?: boolean;
}

/** RSA of so many bits, with this exponent; a curve by its name; or a key (PEM) that is there. */
export type TestKey =
  | { readonly rsa: number; readonly exponent?: number }
  | { readonly curve: string }
  | { readonly pem: string };

export type TestHash = 'sha256' | 'sha1';

/** What signs: its `certificate` is what a client is to trust. */
export interface TestAuthority extends TestCertificate {
  readonly name: string;
  readonly privateKey: KeyObject;
}

const DAY_MS = 86_400_000;
const ECDSA = { sha256: [42, 134, 72, 206, 61, 4, 3, 2], sha1: [42, 134, 72, 206, 61, 4, 1] };
const RSA = {
  sha256: [42, 134, 72, 134, 247, 13, 1, 1, 11],
  sha1: [42, 134, 72, 134, 247, 13, 1, 1, 5],
};

const IS_AUTHORITY = extension([85, 29, 19], sequence(der(1, [255])), true);

/** A fresh certificate authority; with an issuer an intermediate one. */
export function testAuthority(name = 'Test Authority', issuer?: TestAuthority): TestAuthority {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const extensions = [IS_AUTHORITY];
  const subject = { name, privateKey };
  const certificate = issue({ subject, issuer: issuer ?? subject, extensions, ...validity({}) });
  return { name, privateKey, certificate, key: pemKey(privateKey) };
}

/** A fresh certificate of a server. */
export function testCertificate(options: TestCertificateOptions): TestCertificate {
  const privateKey = privateKeyOf(options.key);
  const subject = { name: options.names[0] ?? 'nobody', privateKey };
  const names = sequence(...options.names.map(generalName));
  const uses = options.uses?.map((one) => oid(one)) ?? [];
  const certificate = issue({
    subject,
    issuer: options.issuer ?? subject,
    extensions: [
      ...(options.isAuthority === true ? [IS_AUTHORITY] : []),
      ...(options.names.length === 0 ? [] : [extension([85, 29, 17], names, false)]),
      ...(options.uses === undefined ? [] : [extension([85, 29, 37], sequence(...uses), false)]),
    ],
    hash: options.hash ?? 'sha256',
    ...validity(options),
  });
  return { certificate, key: pemKey(privateKey) };
}

interface Party {
  readonly name: string;
  readonly privateKey: KeyObject;
}

function issue(options: {
  readonly subject: Party;
  readonly issuer: Party;
  readonly extensions: readonly Buffer[];
  readonly hash?: TestHash;
  readonly notBefore: Date;
  readonly notAfter: Date;
}): string {
  const { hash = 'sha256' } = options;
  const isRsa = options.issuer.privateKey.asymmetricKeyType === 'rsa';
  const algorithm = isRsa ? sequence(oid(RSA[hash]), der(5, [])) : sequence(oid(ECDSA[hash]));
  const publicKey = createPublicKey(options.subject.privateKey as never);
  const signed = sequence(
    der(0xa0, der(2, [2])),
    der(2, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    algorithm,
    distinguishedName(options.issuer.name),
    sequence(time(options.notBefore), time(options.notAfter)),
    distinguishedName(options.subject.name),
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(options.extensions.length === 0 ? [] : [der(0xa3, sequence(...options.extensions))]),
  );
  const signature = sign(hash, signed, options.issuer.privateKey);
  const whole = sequence(signed, algorithm, der(3, Buffer.concat([Buffer.of(0), signature])));
  const text = whole
    .toString('base64')
    .match(/.{1,64}/g)
    ?.join('\n');
  return `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
}

function privateKeyOf(kind: TestKey = { curve: 'P-256' }): KeyObject {
  if ('pem' in kind) return createPrivateKey(kind.pem);
  if ('curve' in kind) return generateKeyPairSync('ec', { namedCurve: kind.curve }).privateKey;
  const { rsa: modulusLength, exponent: publicExponent = 65_537 } = kind;
  return generateKeyPairSync('rsa', { modulusLength, publicExponent }).privateKey;
}

function validity(options: Pick<TestCertificateOptions, 'notBefore' | 'notAfter'>): {
  notBefore: Date;
  notAfter: Date;
} {
  return {
    notBefore: options.notBefore ?? new Date(Date.now() - DAY_MS),
    notAfter: options.notAfter ?? new Date(Date.now() + 30 * DAY_MS),
  };
}

function pemKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function distinguishedName(name: string): Buffer {
  return sequence(der(0x31, sequence(oid([85, 4, 3]), der(12, Buffer.from(name)))));
}

function generalName(name: string): Buffer {
  if (isIPv4(name)) return der(0x87, name.split('.').map(Number));
  if (name === '::1') return der(0x87, [...Array.from({ length: 15 }, () => 0), 1]);
  return der(0x82, Buffer.from(name));
}

function extension(id: readonly number[], value: Buffer, critical: boolean): Buffer {
  return sequence(oid(id), ...(critical ? [der(1, [255])] : []), der(4, value));
}

/** GeneralizedTime. */
function time(date: Date): Buffer {
  const text = `${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
  return der(24, Buffer.from(text));
}

function oid(octets: readonly number[]): Buffer {
  return der(6, octets);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function der(tag: number, value: Buffer | readonly number[]): Buffer {
  const content = Buffer.from(value);
  const { length } = content;
  if (length < 128) return Buffer.concat([Buffer.of(tag, length), content]);
  if (length < 256) return Buffer.concat([Buffer.of(tag, 0x81, length), content]);
  return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 255), content]);
}
