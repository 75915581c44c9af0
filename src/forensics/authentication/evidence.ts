/** The evidence bundle: what was examined, by its hash, with what answers of the DNS, by whom. */

import { Failure } from '#base/failure.ts';
import type { Json, JsonObject } from '#base/json.ts';
import type { Answer, Answers } from './dns.ts';

export const EVIDENCE_SCHEMA = 'postern-evidence/1';

/** A message, by what cannot be changed without being seen. */
export interface EvidenceItem {
  readonly name: string;
  /** Of the octets as they were found. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

export interface Evidence {
  readonly version: string;
  readonly madeAtMs: number;
  readonly anchors: readonly string[];
  readonly messages: readonly EvidenceItem[];
  readonly answers: ReadonlyMap<string, Answer>;
}

const MESSAGES = 1_000_000;
const RECORDS = 1_000;

/** A bundle as JSON; octets of DNS records are characters of the same number. */
export function formatEvidence(evidence: Evidence): string {
  const dns: Record<string, Json> = {};
  for (const [question, answer] of evidence.answers) dns[question] = { ...answer };
  const { version, madeAtMs, anchors, messages } = evidence;
  const whole: JsonObject = {
    schema: EVIDENCE_SCHEMA,
    tool: { name: 'postern', version },
    madeAt: new Date(madeAtMs).toISOString(),
    anchors,
    messages: messages.map((message) => ({ ...message })),
    dns,
  };
  return `${JSON.stringify(whole, undefined, 1)}\n`;
}

/** A bundle from JSON; a Failure (`bad-evidence`) for anything else. */
export function parseEvidence(text: string): Evidence {
  const whole = objectOf(readJson(text));
  if (whole.get('schema') !== EVIDENCE_SCHEMA) bad(`its schema is not ${EVIDENCE_SCHEMA}`);
  const version = textOf(objectOf(whole.get('tool')).get('version'));
  const madeAtMs = Date.parse(textOf(whole.get('madeAt')));
  if (!Number.isFinite(madeAtMs)) bad('madeAt is no time');
  const messages = listOf(whole.get('messages'), MESSAGES).map((one): EvidenceItem => {
    const item = objectOf(one);
    const sizeBytes = item.get('sizeBytes');
    if (typeof sizeBytes !== 'number') return bad('a size is no number');
    return { name: textOf(item.get('name')), sha256: textOf(item.get('sha256')), sizeBytes };
  });
  const answers: Answers = new Map();
  for (const [question, answer] of objectOf(whole.get('dns')))
    answers.set(question, answerOf(answer));
  const anchors = listOf(whole.get('anchors'), RECORDS).map(textOf);
  return { version, madeAtMs, anchors, messages, answers };
}

function answerOf(value: unknown): Answer {
  const answer = objectOf(value);
  const kind = answer.get('kind');
  const authentic = answer.get('authentic') === true;
  if (kind === 'failed') return { kind, reason: textOf(answer.get('reason')) };
  if (kind === 'none') {
    return { kind, why: answer.get('why') === 'nodata' ? 'nodata' : 'nxdomain', authentic };
  }
  if (kind !== 'found') return bad('an answer is of no kind');
  const ttl = answer.get('ttlSeconds');
  const ttlSeconds = typeof ttl === 'number' ? ttl : 0;
  return {
    kind,
    records: listOf(answer.get('records'), RECORDS).map(textOf),
    ttlSeconds,
    authentic,
  };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw Failure.permanent('bad-evidence', 'the evidence is no JSON', thrown);
  }
}

/** As a Map: names come from outside. */
function objectOf(value: unknown): ReadonlyMap<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    bad('an object is missing');
  return new Map(Object.entries(value as object));
}

function listOf(value: unknown, max: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > max) return bad('a list is missing or too long');
  return value;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : bad('a text is missing');
}

function bad(why: string): never {
  throw Failure.permanent('bad-evidence', `the evidence cannot be used: ${why}`);
}
