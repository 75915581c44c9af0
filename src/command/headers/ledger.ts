/** Our own record as an anchor: which lines this server really wrote, and what the DNS said then. */

import type { Json } from '#base/json.ts';
import { type Answer, questionOf } from '#forensics/authentication/dns.ts';
import type { LedgerQuestion } from '#forensics/examine.ts';
import type { Context } from '../command.ts';

const ENTRIES = 50;

/** Opens the store until `close`; a line counts if a message was accepted under its id. */
export async function ledgerQuestion(
  context: Context,
): Promise<{ readonly ask: LedgerQuestion; readonly close: () => Promise<void> }> {
  const store = await context.openStore();
  const { myhostname } = await context.settings();
  const ask: LedgerQuestion = async (id, by) => {
    if (by.toLowerCase() !== myhostname.toLowerCase()) return undefined;
    const entries = await store.ledger.trace(id, ENTRIES);
    const accepted = entries.find(({ kind, queueId }) => kind === 'accepted' && queueId === id);
    if (accepted === undefined) return undefined;
    const { atMs, facts } = accepted;
    const answers = recordedAnswers(member(facts['authentication'], 'dns'));
    const sender = text(facts['sender']);
    return {
      clientAddress: text(facts['client']),
      helo: text(facts['helo']),
      mailFrom: sender?.replace(/^<|>$/g, ''),
      messageId: text(facts['messageId']),
      atMs,
      answers,
    };
  };
  return { ask, close: async () => void (await store.close()) };
}

/**
 * Answers as the ledger keeps them, if they are whole: a record that was cut or escaped there is
 * not what the DNS said, and an answer that did not come says nothing.
 */
export function recordedAnswers(dns: Json | undefined): ReadonlyMap<string, Answer> {
  const answers = new Map<string, Answer>();
  for (const fact of Array.isArray(dns) ? (dns as readonly Json[]) : []) {
    const [type, name] = [member(fact, 'type'), member(fact, 'name')];
    if (typeof type !== 'string' || typeof name !== 'string') continue;
    const answer = answerOf(fact);
    if (answer !== undefined) answers.set(questionOf(type, name), answer);
  }
  return answers;
}

function answerOf(fact: Json): Answer | undefined {
  const why = member(fact, 'answer');
  const authentic = member(fact, 'authentic') === true;
  if (why === 'nxdomain' || why === 'nodata') return { kind: 'none', why, authentic };
  const [records, ttl] = [member(fact, 'records'), member(fact, 'ttlSeconds')];
  if (why !== undefined || member(fact, 'count') !== undefined || !Array.isArray(records)) {
    return undefined;
  }
  const texts = (records as readonly Json[]).filter((one) => typeof one === 'string');
  if (texts.some((text) => text.endsWith('...') || text.includes('\\'))) return undefined;
  return {
    kind: 'found',
    records: texts,
    ttlSeconds: typeof ttl === 'number' ? ttl : 0,
    authentic,
  };
}

/** A fact that is there whole, and as it was. */
function text(value: Json | undefined): string | undefined {
  if (typeof value !== 'string' || value.endsWith('...') || value.includes('\\')) return undefined;
  return value;
}

function member(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return (value as { readonly [key: string]: Json | undefined })[name];
}
