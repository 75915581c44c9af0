/** Certificates and keys of this server: loaded from PEM, checked, chosen by name, replaced live. */

import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { Failure, invariant } from '#base/failure.ts';
import type { TlsIdentity } from '#base/world.ts';
import { serverEndPoint } from './facts.ts';

/** A certificate with its chain, and its key, as PEM text; `source` names it in errors. */
export interface PemPair {
  readonly certificate: string;
  readonly key: string;
  readonly source: string;
}

export interface Certificate {
  readonly names: readonly string[];
  readonly notAfterMs: number;
  readonly context: SecureContext;
  /** RFC 5929 4. */
  readonly endPoint: Uint8Array | undefined;
}

export interface CertificateOptions {
  /** Now, milliseconds since 1970: an expired certificate is refused. */
  readonly nowMs: number;
  /** RFC 5077 tickets weaken forward secrecy and confuse some senders: off. */
  readonly sessionTickets?: boolean;
}

/** The identity behind the opaque TlsIdentity: one default certificate and others by name. */
export class Certificates implements TlsIdentity {
  readonly kind = 'tls-identity';
  #fallback: Certificate;
  #byName: ReadonlyMap<string, Certificate>;

  /** The first pair is the default. Fails as `loadCertificate`. */
  constructor(pairs: readonly PemPair[], options: CertificateOptions) {
    [this.#fallback, this.#byName] = load(pairs, options);
  }

  get names(): readonly string[] {
    return this.#fallback.names;
  }

  get notAfterMs(): number {
    return this.#fallback.notAfterMs;
  }

  get fallback(): Certificate {
    return this.#fallback;
  }

  /** The certificate for a name asked for by SNI; the default one when no name fits. */
  named(name: string): Certificate {
    const bare = (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
    const exact = this.#byName.get(bare);
    if (exact !== undefined) return exact;
    const dot = bare.indexOf('.');
    return (dot < 0 ? undefined : this.#byName.get(`*${bare.slice(dot)}`)) ?? this.#fallback;
  }

  /** All new or, when one of them is no good, all as before: then it fails. */
  replace(pairs: readonly PemPair[], options: CertificateOptions): void {
    [this.#fallback, this.#byName] = load(pairs, options);
  }
}

/** The certificates behind an identity that this network made. */
export function certificatesOf(identity: TlsIdentity): Certificates {
  invariant(identity instanceof Certificates, 'a TLS identity comes from the network that uses it');
  return identity;
}

/**
 * Checks one pair. Fails, permanently, with `certificate-unreadable`, `key-unreadable`,
 * `certificate-mismatch`, `certificate-expired`, `certificate-not-yet-valid`.
 */
export function loadCertificate(pair: PemPair, options: CertificateOptions): Certificate {
  const leaf = readCertificate(pair);
  const key = readKey(pair);
  if (!leaf.checkPrivateKey(key)) {
    throw bad('certificate-mismatch', `${pair.source}: the key does not belong to the certificate`);
  }
  const notBeforeMs = Date.parse(leaf.validFrom);
  const notAfterMs = Date.parse(leaf.validTo);
  if (notAfterMs < options.nowMs) {
    throw bad('certificate-expired', `${pair.source}: the certificate ended on ${leaf.validTo}`);
  }
  if (notBeforeMs > options.nowMs) {
    const text = `${pair.source}: the certificate begins on ${leaf.validFrom}`;
    throw bad('certificate-not-yet-valid', text);
  }
  return {
    names: namesOf(leaf),
    notAfterMs,
    context: contextOf(pair, options),
    endPoint: serverEndPoint(leaf),
  };
}

function load(
  pairs: readonly PemPair[],
  options: CertificateOptions,
): [Certificate, Map<string, Certificate>] {
  const loaded = pairs.map((pair) => loadCertificate(pair, options));
  const [fallback] = loaded;
  if (fallback === undefined) throw bad('certificate-missing', 'no certificate is configured');
  const byName = new Map<string, Certificate>();
  for (const certificate of loaded) {
    for (const name of certificate.names) {
      if (!byName.has(name)) byName.set(name, certificate);
    }
  }
  return [fallback, byName];
}

function readCertificate(pair: PemPair): X509Certificate {
  try {
    return new X509Certificate(pair.certificate);
  } catch (error) {
    throw bad('certificate-unreadable', `${pair.source}: not a PEM certificate`, error);
  }
}

function readKey(pair: PemPair): KeyObject {
  try {
    return createPrivateKey(pair.key);
  } catch (error) {
    throw bad('key-unreadable', `${pair.source}: not a PEM private key without password`, error);
  }
}

function contextOf(pair: PemPair, options: CertificateOptions): SecureContext {
  try {
    return createSecureContext({
      // No client certificate is asked for, so nobody's authorities are needed: they are 150.
      ca: [],
      cert: pair.certificate,
      key: pair.key,
      minVersion: 'TLSv1.2',
      honorCipherOrder: true,
      secureOptions:
        constants.SSL_OP_NO_RENEGOTIATION |
        constants.SSL_OP_NO_COMPRESSION |
        (options.sessionTickets === true ? 0 : constants.SSL_OP_NO_TICKET),
    });
  } catch (error) {
    throw bad('certificate-unreadable', `${pair.source}: not usable for TLS`, error);
  }
}

/** DNS names of the certificate, lower case; its common name when it has no alternative names. */
function namesOf(leaf: X509Certificate): string[] {
  const names: string[] = [];
  for (const entry of (leaf.subjectAltName ?? '').split(', ')) {
    if (entry.startsWith('DNS:')) names.push(entry.slice(4).toLowerCase());
    if (entry.startsWith('IP Address:')) names.push(entry.slice(11).toLowerCase());
  }
  if (names.length > 0) return names;
  const common = /^CN=(.+)$/m.exec(leaf.subject)?.[1];
  return common === undefined ? [] : [common.toLowerCase()];
}

function bad(code: string, text: string, cause?: unknown): Failure {
  return Failure.permanent(code, text, cause);
}
