/** What proves our names to an ACME authority: texts over HTTP, certificates over TLS (RFC 8737). */

import { createHash } from 'node:crypto';
import type { AcmeChallenge } from '#network/acme/client.ts';
import type { HttpAnswer, HttpQuestion } from '#network/http/server.ts';
import { exported, loadX509, pem, type Signed } from './authority.ts';

const WELL_KNOWN = '/.well-known/acme-challenge/';
/** RFC 8737 6.1: id-pe-acmeIdentifier. */
const ACME_IDENTIFIER = '1.3.6.1.5.5.7.1.31';
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const DAY_MS = 86_400_000;

/** The answers that are visible just now; each goes away when its challenge is over. */
export class Challenges {
  readonly #texts = new Map<string, string>();
  readonly #certificates = new Map<string, Signed>();

  /** Shows the answer; what it returns hides it again. */
  async show(challenge: AcmeChallenge): Promise<() => void> {
    const { kind, name, token, keyAuthorization } = challenge;
    if (kind === 'http-01') {
      this.#texts.set(token, keyAuthorization);
      return () => this.#texts.delete(token);
    }
    this.#certificates.set(name, await proofOf(name, keyAuthorization));
    return () => this.#certificates.delete(name);
  }

  /** The answer to a request in clear (RFC 8555 8.3). */
  answer({ path }: Pick<HttpQuestion, 'path'>): HttpAnswer | undefined {
    if (!path.startsWith(WELL_KNOWN)) return undefined;
    const text = this.#texts.get(path.slice(WELL_KNOWN.length));
    if (text === undefined) return undefined;
    return { status: 200, type: 'application/octet-stream', body: Buffer.from(text) };
  }

  /** The certificate for a name that is being proven. */
  proof(name: string): Signed | undefined {
    return this.#certificates.get(name);
  }
}

/** RFC 8737 3: self-signed, for this name alone, with the digest of what proves the account. */
async function proofOf(name: string, keyAuthorization: string): Promise<Signed> {
  const x509 = await loadX509();
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const digest = createHash('sha256').update(keyAuthorization).digest();
  const value = new Uint8Array([0x04, digest.length, ...digest]);
  const nowMs = Date.now();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name] }],
    notBefore: new Date(nowMs - DAY_MS),
    notAfter: new Date(nowMs + DAY_MS),
    keys,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
      new x509.Extension(ACME_IDENTIFIER, true, value),
    ],
  });
  return { certificate: pem(certificate), key: await exported(keys.privateKey) };
}
