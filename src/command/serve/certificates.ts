/** The certificates that listeners answer with: files of the operator, else made by ourselves. */

import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import type { Failure } from '#base/failure.ts';
import type { Clock } from '#base/world.ts';
import { makeDirectory } from '#engine/directories.ts';
import { systemClock } from '#network/clock.ts';
import { tlsIdentity } from '#network/tls/files.ts';
import type { CertificateFiles, LiveTlsIdentity } from '#network/tls/files.ts';
import type { Settings } from '../configuration/settings.ts';
import { writeWhole } from '../files.ts';

/** Certificates made by ourselves; `authority` is the PEM file that clients must trust. */
export interface OwnCertificates {
  readonly files: CertificateFiles;
  readonly authority: string;
}

/** Certificates that end sooner than this are made anew. */
const RENEW_MS = 30 * 86_400_000;

/** The pairs of files that the configuration names, each with the setting's name; maybe none. */
export function certificateFiles(
  settings: Settings,
): readonly { readonly name: string; readonly files: CertificateFiles }[] {
  const found: { readonly name: string; readonly files: CertificateFiles }[] = [];
  const { smtpd_tls_cert_file: certificateFile, smtpd_tls_key_file: keyFile } = settings;
  if (certificateFile !== '') {
    found.push({ name: 'smtpd_tls_cert_file', files: { certificateFile, keyFile } });
  }
  for (const [host, [certificate = '', key = '']] of settings.tls_server_sni_maps) {
    const files = { certificateFile: certificate, keyFile: key };
    found.push({ name: `tls_server_sni_maps.${host}`, files });
  }
  return found;
}

/** Names of tls_server_sni_maps whose certificate is for others: it would never be chosen. */
export function misnamed(
  settings: Settings,
): readonly { readonly host: string; readonly file: string }[] {
  const found: { readonly host: string; readonly file: string }[] = [];
  for (const [host, [file = '']] of settings.tls_server_sni_maps) {
    if (!covers(new X509Certificate(text(file)), host)) found.push({ host, file });
  }
  return found;
}

/** Loads them; fails as the network does, with the file and what is wrong with it. */
export function loadIdentity(
  files: readonly CertificateFiles[],
  options: { readonly clock?: Clock; readonly reloaded?: (failure?: Failure) => void } = {},
): LiveTlsIdentity {
  const { reloaded } = options;
  return tlsIdentity({
    files,
    clock: options.clock ?? systemClock,
    ...(reloaded === undefined ? {} : { reloaded }),
  });
}

/**
 * A certificate for `names` in `directory`, signed by an authority of our own; both are made when
 * missing, broken, for other names, or near their end. Keys have mode 0600.
 */
export async function ownCertificates(
  directory: string,
  names: readonly string[],
  nowMs: number,
): Promise<OwnCertificates> {
  const own = {
    authority: join(directory, 'ca.pem'),
    files: { certificateFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') },
  };
  const authorityKey = join(directory, 'ca.key');
  const goodAuthority = isGood(own.authority, authorityKey, [], nowMs);
  const { certificateFile, keyFile } = own.files;
  if (goodAuthority && isGood(certificateFile, keyFile, names, nowMs, own.authority)) return own;
  makeDirectory(directory);
  // Here, not above: the library costs a tenth of a second that only the first start should pay.
  const { makeAuthority, signServer } = await import('./authority.ts');
  const authority = goodAuthority
    ? { certificate: text(own.authority), key: text(authorityKey) }
    : await makeAuthority(`Postern of ${names[0] ?? 'this host'}`, nowMs);
  if (!goodAuthority) {
    writeWhole(authorityKey, authority.key, 0o600);
    writeWhole(own.authority, authority.certificate);
  }
  const signed = await signServer(authority, names, nowMs);
  writeWhole(keyFile, signed.key, 0o600);
  writeWhole(certificateFile, signed.certificate);
  return own;
}

/** Whether a pair on disk can go on being used. */
function isGood(
  certificateFile: string,
  keyFile: string,
  names: readonly string[],
  nowMs: number,
  authority?: string,
): boolean {
  if (!existsSync(certificateFile) || !existsSync(keyFile)) return false;
  try {
    const certificate = new X509Certificate(text(certificateFile));
    if (certificate.validToDate.getTime() < nowMs + RENEW_MS) return false;
    if (certificate.validFromDate.getTime() > nowMs) return false;
    if (authority !== undefined) {
      const issuer = new X509Certificate(text(authority));
      if (!certificate.verify(issuer.publicKey)) return false;
    }
    return names.every((name) => covers(certificate, name));
  } catch {
    return false;
  }
}

function covers(certificate: X509Certificate, name: string): boolean {
  const found = isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name);
  return found !== undefined;
}

function text(file: string): string {
  return readFileSync(file, 'latin1');
}
