/** What the tests of DKIM and ARC share: keys made once, a zone in memory, messages as text. */

import { type KeyObject, generateKeyPairSync } from 'node:crypto';
import type { Domain } from '#base/brand.ts';
import { fromLatin1 } from '#base/bytes.ts';
import type { Lookup } from '#base/world.ts';
import { splitMessage } from '#message/edit.ts';
import { type BodyWant, hashBody } from './body.ts';
import { SignedHead } from './header.ts';
import { type KeySource, askForKeys } from './key-lookup.ts';
import { keyName, keyRecord } from './keys.ts';
import type { DkimReport, DkimResult } from './result.ts';
import { SIGNING_WANT, type SignOptions, type SigningKey, signMessage } from './sign.ts';
import type { Algorithm } from './signature.ts';
import { type DkimLimits, DkimSignatures } from './verify.ts';

export const NOW_MS = 1_700_000_000_000;

export interface Zone {
  readonly [name: string]: readonly string[] | 'failed' | 'nodata';
}

export interface CountedSource extends KeySource {
  readonly asked: string[];
}

export function keySource(zone: Zone): CountedSource {
  const asked: string[] = [];
  const answer = (name: string): Lookup<string> => {
    const records = Object.hasOwn(zone, name) ? zone[name] : undefined;
    if (records === 'failed') return { kind: 'failed', reason: 'timeout' };
    if (records === undefined) return { kind: 'none', why: 'nxdomain', authentic: true };
    if (records === 'nodata') return { kind: 'none', why: 'nodata', authentic: true };
    return { kind: 'found', records, ttlSeconds: 300, authentic: true };
  };
  const txt = async (name: string): Promise<Lookup<string>> => {
    asked.push(name);
    return answer(name);
  };
  return { asked, txt };
}

/** Keys are slow to make: one of each kind for a whole test file. */
export function testKey(
  algorithm: Algorithm,
  domain: string,
  selector: string,
  modulusLength = 1_024,
): SigningKey & { readonly zone: Zone; readonly record: string } {
  const key: KeyObject =
    algorithm === 'rsa-sha256'
      ? generateKeyPairSync('rsa', { modulusLength }).privateKey
      : generateKeyPairSync('ed25519').privateKey;
  const signing = { domain: domain as Domain, selector, algorithm, key };
  const record = keyRecord(key);
  return { ...signing, record, zone: { [keyName(signing)]: [record] } };
}

/** The message with a signature in front. */
export function signed(
  message: string,
  key: SigningKey,
  options: Partial<SignOptions> = {},
): string {
  const { head, body } = splitMessage(fromLatin1(message));
  const digests = hashBody(body, [SIGNING_WANT]);
  return signMessage(new SignedHead(head), digests, key, { atMs: NOW_MS, ...options }) + message;
}

export async function verified(
  message: string,
  zone: Zone,
  limits: DkimLimits = {},
): Promise<DkimReport> {
  const { head, body } = splitMessage(fromLatin1(message));
  const signatures = new DkimSignatures(new SignedHead(head), limits);
  const answers = await askForKeys(signatures.keyNames, keySource(zone));
  return signatures.judge(hashBody(body, signatures.wants), answers, NOW_MS);
}

/** The one result of a message with one signature. */
export async function verdict(
  message: string,
  zone: Zone,
  limits: DkimLimits = {},
): Promise<DkimResult> {
  const { results } = await verified(message, zone, limits);
  const [only] = results;
  if (only === undefined || results.length !== 1) throw new Error(`${results.length} signatures`);
  return only;
}

/** Lines with CRLF. */
export function lines(...text: string[]): string {
  return text.map((line) => `${line}\r\n`).join('');
}

/** Every octet after the head, hashed. */
export function digestOf(body: string, want: BodyWant): string | undefined {
  const { digests } = hashBody(fromLatin1(body), [want]);
  const [digest] = digests.values();
  return digest && Buffer.from(digest).toString('base64');
}
