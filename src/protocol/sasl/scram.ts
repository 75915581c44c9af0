/** SCRAM-SHA-256's arithmetic and attributes, the same on both sides (RFC 5802 3, RFC 7677). */

import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { Secure } from '#base/secure.ts';
import { prepareSasl } from './prepare.ts';

/** What is stored instead of a password. */
export interface ScramKeys {
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/** RFC 7677 4: at least 4096. */
export const SCRAM_ITERATIONS = 4096;

/**
 * The keys of a password, for account creation: takes some milliseconds, synchronously.
 * Undefined when the password cannot be prepared (RFC 4013). The salt is the caller's: 16
 * octets or more from the world's randomness.
 */
export function scramKeys(
  password: string,
  salt: Uint8Array,
  iterations: number = SCRAM_ITERATIONS,
): ScramKeys | undefined {
  const prepared = prepareSasl(password);
  if (prepared === undefined) return undefined;
  const salted = saltedPassword(prepared, salt, iterations);
  return {
    salt,
    iterations,
    storedKey: sha256(hmac(salted, 'Client Key')),
    serverKey: hmac(salted, 'Server Key'),
  };
}

/** `Hi(password, salt, i)` (RFC 5802 2.2); the password is already prepared. */
export function saltedPassword(password: string, salt: Uint8Array, iterations: number): Buffer {
  return pbkdf2Sync(password, salt, iterations, 32, 'sha256');
}

export function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** Octets of equal length, combined by exclusive or. */
export function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((octet, index) => octet ^ (b[index] ?? 0)));
}

/** The octets of a channel binding (RFC 9266, RFC 5929), or undefined when TLS has none. */
export function bindingData(secure: Secure, name: string): Uint8Array | undefined {
  const { exporter, serverEndPoint } = secure.facts.channelBinding;
  if (name === 'tls-exporter') return exporter;
  return name === 'tls-server-end-point' ? serverEndPoint : undefined;
}

/** The best binding this TLS connection has: the exporter, else the server's certificate. */
export function bestBinding(secure: Secure): string | undefined {
  const { exporter, serverEndPoint } = secure.facts.channelBinding;
  if (exporter !== undefined) return 'tls-exporter';
  return serverEndPoint === undefined ? undefined : 'tls-server-end-point';
}

/** `k=value,k=value` to pairs in order, or undefined when a part is no attribute. */
export function parseAttributes(text: string): (readonly [string, string])[] | undefined {
  const pairs: (readonly [string, string])[] = [];
  for (const part of text.split(',', 12)) {
    if (!/^[A-Za-z]=/.test(part) || part.includes('\0')) return undefined;
    pairs.push([part.slice(0, 1), part.slice(2)]);
  }
  return text.split(',', 13).length > 12 ? undefined : pairs;
}

/** A saslname: `=2C` and `=3D` are the only uses of `=` (RFC 5802 5.1). */
export function decodeSaslName(text: string): string | undefined {
  if (/=(?!2C|3D)/.test(text)) return undefined;
  return text.replace(/=2C/g, ',').replace(/=3D/g, '=');
}

export function encodeSaslName(name: string): string {
  return name.replace(/=/g, '=3D').replace(/,/g, '=2C');
}
