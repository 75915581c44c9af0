/** The life of a signing key as steps: made, published, signing, retired, forgotten. */

import type { Domain } from '#base/brand.ts';
import { Secret } from '#base/secret.ts';
import type { Lookup } from '#base/world.ts';
import { readKeyRecord } from '#trust/dkim/key-record.ts';
import { keyName, makeKey, recordStrings, zoneLine } from '#trust/dkim/keys.ts';
import type { SigningKey } from '#trust/dkim/sign.ts';
import type { KeyState, StoredKey } from './key-files.ts';

export interface NewKeyOptions {
  readonly algorithm: SigningKey['algorithm'];
  readonly bits: number;
  readonly state: KeyState;
  readonly nowMs: number;
}

/** What is published for one key. */
export interface KeyRecord {
  readonly name: string;
  readonly type: 'TXT';
  readonly value: string;
  /** The value as strings of at most 255 octets. */
  readonly strings: readonly string[];
  /** The line for a zone file. */
  readonly zone: string;
}

/** Mail signed by a retired key may wait in queues elsewhere: five days, and two for slow readers. */
const DAY_MS = 86_400_000;
export const RETIRED_MS = 7 * DAY_MS;

/** A key that is nowhere yet. */
export async function newKey(
  domain: Domain,
  selector: string,
  options: NewKeyOptions,
): Promise<StoredKey> {
  const { algorithm, bits, state, nowMs } = options;
  const { pem, record } = await makeKey(algorithm, bits);
  const secret = new Secret(pem);
  const times = { createdMs: nowMs, changedMs: nowMs };
  return { domain, selector, algorithm, state, ...times, record, pem: secret };
}

/** `p202611`, for ed25519 `p202611e`; with a letter behind it if that is taken. */
export function freeSelector(
  taken: readonly string[],
  algorithm: SigningKey['algorithm'],
  nowMs: number,
): string {
  const month = new Date(nowMs).toISOString().slice(0, 7).replace('-', '');
  const base = `p${month}${algorithm === 'ed25519-sha256' ? 'e' : ''}`;
  for (let nth = 0; ; nth += 1) {
    const selector = nth === 0 ? base : `${base}-${nth + 1}`;
    if (!taken.includes(selector)) return selector;
  }
}

/** What to publish. */
export function recordOf(key: StoredKey): KeyRecord {
  const { record } = key;
  return {
    name: keyName(key),
    type: 'TXT',
    value: record,
    strings: recordStrings(record),
    zone: zoneLine(key, record),
  };
}

/** The key in another state; a retired one has lost its private half. */
export function inState(key: StoredKey, state: KeyState, nowMs: number): StoredKey {
  return { ...key, state, changedMs: nowMs, pem: state === 'retired' ? undefined : key.pem };
}

/** Why a key's record is not in the DNS as it should be; undefined when it is. */
export function notPublished(key: StoredKey, answer: Lookup<string>): string | undefined {
  const name = keyName(key);
  if (answer.kind === 'failed') return `${name}: the DNS does not answer (${answer.reason})`;
  if (answer.kind === 'none') return `${name} is not in the DNS yet`;
  if (answer.records.some((record) => publishesKey(record, key.record))) return undefined;
  return `${name} is in the DNS with another key`;
}

/**
 * Whether verifiers find the key of our record in one that is published: white space, order, notes
 * and old forms may differ (RFC 6376 3.6.1), a domain that only tries DKIM out (t=y) publishes none.
 */
export function publishesKey(published: string, own: string): boolean {
  const algorithm = /\bk=ed25519\b/.test(own) ? 'ed25519-sha256' : 'rsa-sha256';
  const [there, wanted] = [published, own].map((record) => readKeyRecord(record, algorithm));
  if (there?.kind !== 'read' || wanted?.kind !== 'read') return false;
  return !there.value.testing && there.value.key.equals(wanted.value.key);
}
