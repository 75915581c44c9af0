/** A certificate authority of our own, and the server certificate that it signs. */

import type { X509Certificate } from '@peculiar/x509';
import { isIpv4 } from '#base/domain.ts';

/** A certificate and its private key, as PEM. */
export interface Signed {
  readonly certificate: string;
  readonly key: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3_650;
/** Above 398 days Apple's programs refuse a certificate, whoever signed it. */
const SERVER_DAYS = 397;
/** Clocks of clients may be behind ours. */
const BACKDATED_MS = 3_600_000;

/** A new authority. */
export async function makeAuthority(name: string, nowMs: number): Promise<Signed> {
  const x509 = await loadX509();
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name] }],
    ...validity(nowMs, AUTHORITY_DAYS),
    keys,
    signingAlgorithm: SIGNATURE,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate), key: await exported(keys.privateKey) };
}

/** A server certificate for names and addresses, signed by the authority. */
export async function signServer(
  authority: Signed,
  names: readonly string[],
  nowMs: number,
): Promise<Signed> {
  const x509 = await loadX509();
  const issuer = new x509.X509Certificate(authority.certificate);
  const signingKey = await crypto.subtle.importKey(
    'pkcs8',
    x509.PemConverter.decodeFirst(authority.key),
    ALGORITHM,
    false,
    ['sign'],
  );
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [names[0] ?? 'postern'] }],
    issuer: issuer.subject,
    ...validity(nowMs, SERVER_DAYS),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: SIGNATURE,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isAddress(value) ? 'ip' : 'dns', value }) as const),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return { certificate: pem(certificate), key: await exported(keys.privateKey) };
}

function validity(nowMs: number, days: number): { notBefore: Date; notAfter: Date } {
  return {
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(nowMs + days * DAY_MS),
  };
}

function isAddress(name: string): boolean {
  return isIpv4(name) || name.includes(':');
}

/** A certificate as PEM. */
export function pem(certificate: X509Certificate): string {
  return `${certificate.toString('pem').trimEnd()}\n`;
}

/** A private key as PEM, PKCS #8. */
export async function exported(key: CryptoKey): Promise<string> {
  const x509 = await loadX509();
  const octets = await crypto.subtle.exportKey('pkcs8', key);
  return `${x509.PemConverter.encode(octets, 'PRIVATE KEY').trimEnd()}\n`;
}

/**
 * The library brings an injection container along that refuses to load without the decorator
 * metadata proposal in `Reflect`. None of its classes has constructor parameters to inject, so
 * "there is no metadata" is the right answer, and it is asked only while loading.
 */
export async function loadX509(): Promise<typeof import('@peculiar/x509')> {
  const reflect = Reflect as unknown as Record<string, unknown>;
  const missing = METADATA.filter((name) => reflect[name] === undefined);
  for (const name of missing) reflect[name] = () => undefined;
  try {
    return await import('@peculiar/x509');
  } finally {
    for (const name of missing) delete reflect[name];
  }
}

const METADATA = ['getMetadata', 'getOwnMetadata', 'defineMetadata'] as const;
