/** Asks the DNS for the keys that signatures name, and judges one signature by what came back. */

import { Failure } from '#base/failure.ts';
import type { Lookup } from '#base/world.ts';
import { type KeyLimits, type PublicKey, checkSignature, readKeyRecord } from './key-record.ts';
import type { KeyLookup, Verdict } from './result.ts';
import type { Origin, Reading } from './signature.ts';

/** Whoever answers TXT questions: the Resolver, or better `Questions`, which counts and times. */
export interface KeySource {
  txt(name: string): Promise<Lookup<string>>;
}

/** Answers by the name that was asked: plain data, to be handed to another thread as it is. */
export type KeyAnswers = ReadonlyMap<string, Lookup<string>>;

export interface KeyVerdict extends Verdict {
  readonly key: PublicKey | undefined;
}

/** Records under one name that are tried. */
const RECORDS = 4;
/** Ten signatures, and a chain of thirty hosts. */
const NAMES = 40;

/**
 * Asks for the names at the same time, each once; those above `max` get no answer, so that a
 * message cannot make us ask the world. Never fails.
 */
export async function askForKeys(
  names: readonly string[],
  source: KeySource,
  max = NAMES,
): Promise<KeyAnswers> {
  const different = [...new Set(names)];
  const asked = different.map((name, at) => (at < max ? ask(name, source) : tooMany(max)));
  const answers = await Promise.all(asked);
  return new Map(different.map((name, at) => [name, answers[at] ?? tooMany(max)]));
}

/**
 * Tries the keys under a signature's name on `data`. With several records, the first that fits
 * decides (RFC 6376 6.1.2 (4)); no answer is a temporary error, no record a permanent one.
 */
export function judgeByKeys(
  origin: Origin,
  data: () => string,
  answers: KeyAnswers,
  limits: KeyLimits = {},
): KeyVerdict {
  const answer = answers.get(origin.keyName);
  if (answer === undefined || answer.kind === 'failed') {
    return { status: 'temperror', reason: 'no answer for the key', key: undefined };
  }
  if (answer.kind === 'none') {
    return { status: 'permerror', reason: 'there is no key', key: undefined };
  }
  let found: KeyVerdict | undefined;
  for (const record of answer.records.slice(0, RECORDS)) {
    const verdict = tryKey(readKeyRecord(record, origin.algorithm, limits), origin, data);
    if (verdict.status === 'pass') return verdict;
    // A wildcard's SPF record beside the key must not hide what the key said.
    if (found === undefined || (found.key === undefined && verdict.status !== 'permerror')) {
      found = verdict;
    }
  }
  return found ?? { status: 'permerror', reason: 'there is no key', key: undefined };
}

/** An answer as the ledger keeps it. */
export function lookupOf(name: string, answers: KeyAnswers): KeyLookup | undefined {
  const answer = answers.get(name);
  if (answer === undefined) return undefined;
  const none = { name, records: 0, ttlSeconds: undefined, authentic: false, why: undefined };
  switch (answer.kind) {
    case 'failed':
      return { ...none, answer: 'failed', why: answer.reason };
    case 'none':
      return { ...none, answer: answer.why, authentic: answer.authentic };
    case 'found': {
      const { ttlSeconds, authentic, records } = answer;
      return { ...none, answer: 'found', records: records.length, ttlSeconds, authentic };
    }
  }
}

async function ask(name: string, source: KeySource): Promise<Lookup<string>> {
  try {
    return await source.txt(name);
  } catch (thrown) {
    return { kind: 'failed', reason: Failure.from(thrown).message };
  }
}

function tooMany(max: number): Lookup<string> {
  return { kind: 'failed', reason: `more than ${max} keys for one message` };
}

function tryKey(reading: Reading<PublicKey>, origin: Origin, data: () => string): KeyVerdict {
  if (reading.kind === 'refused') return { ...reading.verdict, key: undefined };
  const key = reading.value;
  return checkSignature(key.key, origin.algorithm, data(), origin.signature)
    ? { status: 'pass', reason: 'the signature is right', key }
    : { status: 'fail', reason: 'the signature does not fit the header', key };
}
