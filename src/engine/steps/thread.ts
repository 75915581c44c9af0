/** Threads (RFC 8474 5.3): messages of one account that Message-ID and References tie together. */

import { hash } from 'node:crypto';
import type { MessageFacts } from '#store/content.ts';
import type { Step } from './step.ts';

/** How many Message-IDs of one message are looked at: its own, the first and the last ones. */
const LAST_REFERENCES = 10;

/**
 * The thread of a message: the first one that a reference leads to, else a new one with the
 * number of the content. Threads never merge: a THREADID must not change (RFC 8474 5.3).
 */
export function threadOf(
  step: Step,
  account: number,
  content: number,
  facts: Pick<MessageFacts, 'messageId' | 'references'>,
): number {
  if (facts.references.length === 0) return ownThread(step, account, content, facts.messageId);
  const unknown: number[] = [];
  let thread: number | undefined;
  for (const id of relatedIds(facts)) {
    const key = threadHash(id);
    const found = step.threads.find(step.sql, account, key);
    if (found === undefined) unknown.push(key);
    thread ??= found;
  }
  thread ??= content;
  for (const key of unknown) step.threads.add(account, key, thread);
  return thread;
}

/** Without references the thread is new, unless answers arrived before the message itself. */
function ownThread(
  step: Step,
  account: number,
  content: number,
  messageId: string | undefined,
): number {
  if (messageId === undefined) return content;
  const key = threadHash(messageId);
  const found = step.threads.find(step.sql, account, key);
  if (found === undefined) step.threads.add(account, key, content);
  return found ?? content;
}

function relatedIds(facts: Pick<MessageFacts, 'messageId' | 'references'>): string[] {
  const own = facts.messageId === undefined ? [] : [facts.messageId];
  const { references } = facts;
  if (references.length <= LAST_REFERENCES + 1) return [...references, ...own];
  return [references[0] ?? '', ...references.slice(-LAST_REFERENCES), ...own];
}

/** 53 bits: what a number holds; two strangers meet by chance once in many millions. */
function threadHash(id: string): number {
  // As text of one octet a character: a buffer for each would cost more than the digest.
  const digest = hash('sha256', id, 'binary');
  return (wordAt(digest, 0) & 0x1fffff) * 0x1_0000_0000 + wordAt(digest, 4);
}

/** Four octets, little end first. */
function wordAt(octets: string, at: number): number {
  const low = octets.charCodeAt(at) | (octets.charCodeAt(at + 1) << 8);
  const high = octets.charCodeAt(at + 2) | (octets.charCodeAt(at + 3) << 8);
  return low + high * 0x1_0000;
}
