/** Certificates of the lab: good ones of an authority that the auditor knows, and bad ones of each kind. */

import { createHash, createPublicKey } from 'node:crypto';
import { type TestCertificate, testAuthority, testCertificate } from '../world/certificates.ts';

/** By name, as profiles say `/etc/lab/NAME.pem` and `/etc/lab/NAME.key`. */
export interface LabCertificates {
  /** What the auditor is told to believe. */
  readonly root: string;
  readonly of: ReadonlyMap<string, TestCertificate>;
  /** A good one for these names, with its chain. */
  for(...names: readonly string[]): TestCertificate;
}

const DAY_MS = 86_400_000;

export function labCertificates(host: string, domain: string): LabCertificates {
  const root = testAuthority('Lab Root');
  const between = testAuthority('Lab Intermediate', root);
  const names = [host, domain];
  const chained = ({ certificate, key }: TestCertificate): TestCertificate => ({
    certificate: certificate + between.certificate,
    key,
  });
  const good = testCertificate({ names, issuer: between });
  return {
    root: root.certificate,
    of: new Map([
      ['good', chained(good)],
      ['alone', good],
      ['expired', chained(testCertificate({ names, issuer: between, ...days(-90, -2) }))],
      ['early', chained(testCertificate({ names, issuer: between, ...days(2, 90) }))],
      ['soon', chained(testCertificate({ names, issuer: between, ...days(-80, 5) }))],
      ['long', chained(testCertificate({ names, issuer: between, ...days(-1, 800) }))],
      ['other-name', chained(testCertificate({ names: ['other.test'], issuer: between }))],
      ['wildcard', chained(testCertificate({ names: [`*.${domain}`], issuer: between }))],
      ['nameless', chained(testCertificate({ names: [], issuer: between }))],
      ['same-key', chained(testCertificate({ names, issuer: between, key: { pem: good.key } }))],
      ['another', chained(testCertificate({ names, issuer: between }))],
      ['rsa', chained(testCertificate({ names, issuer: between, key: { rsa: 2_048 } }))],
      ['rsa-1024', testCertificate({ names: ['other.test'], key: { rsa: 1_024 }, hash: 'sha1' })],
    ]),
    for: (...wanted) => chained(testCertificate({ names: wanted, issuer: between })),
  };
}

/** Valid from and to so many days from now. */
function days(from: number, to: number): { readonly notBefore: Date; readonly notAfter: Date } {
  return {
    notBefore: new Date(Date.now() + from * DAY_MS),
    notAfter: new Date(Date.now() + to * DAY_MS),
  };
}

/** RFC 6698 2.1: SHA-256 of the key, for TLSA 3 1 1. */
export function keyHash({ certificate }: TestCertificate): Uint8Array {
  const key = createPublicKey(certificate).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest();
}
