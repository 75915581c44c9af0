/** What the ledger gets to know of an attempt: DNS answers, hosts, TLS, replies; all bounded. */

import { visible } from '#base/bytes.ts';
import type { Json, JsonObject } from '#base/json.ts';
import type { Secure } from '#base/secure.ts';
import type { Lookup, TlsaRecord } from '#base/world.ts';
import { replyLines } from '#protocol/smtp/client/transcript.ts';
import type { Outcome } from '#protocol/smtp/client/transaction.ts';
import type { Reply } from '#protocol/smtp/reply.ts';
import { showTlsa } from '#trust/dane/records.ts';

const QUERIES = 60;
const RECORDS = 20;
const TEXT_CHARACTERS = 300;
const HOSTS = 40;
const ANSWERS = 50;
const REPLY_CHARACTERS = 1_000;

export class Record {
  readonly #dns: JsonObject[] = [];
  readonly #hosts: JsonObject[] = [];
  #route: string | undefined;
  #security: JsonObject | undefined;

  route(text: string): void {
    this.#route = text;
  }

  lookup<T extends Json>(question: string, lookup: Lookup<T>): void {
    if (this.#dns.length < QUERIES) this.#dns.push({ question, ...answerOf(lookup) });
  }

  /** Texts are whatever a stranger wrote, and as long: cut, and made printable. */
  txt(question: string, lookup: Lookup<string>): void {
    const readable =
      lookup.kind === 'found'
        ? { ...lookup, records: lookup.records.map((text) => visible(text, TEXT_CHARACTERS)) }
        : lookup;
    this.lookup<string>(question, readable);
  }

  tlsa(question: string, lookup: Lookup<TlsaRecord>): void {
    const readable =
      lookup.kind === 'found' ? { ...lookup, records: lookup.records.map(showTlsa) } : lookup;
    this.lookup<string>(question, readable);
  }

  /** The level, and the policy that was found. */
  security(facts: JsonObject): void {
    this.#security = facts;
  }

  host(facts: JsonObject): void {
    if (this.#hosts.length < HOSTS) this.#hosts.push(facts);
  }

  facts(): JsonObject {
    const security = this.#security === undefined ? {} : { security: this.#security };
    return { route: this.#route, ...security, dns: this.#dns, hosts: this.#hosts };
  }
}

/** A TLS connection in a few words. */
export function tlsFacts(secure: Secure | undefined): Json {
  if (secure === undefined) return 'none';
  const { protocol, cipher, peer } = secure.facts;
  const certificate = peer.kind === 'unverified' ? `unverified: ${peer.reason}` : peer.kind;
  return { protocol, cipher, certificate };
}

/** A reply as one text. */
export function replyText(reply: Reply): string {
  return replyLines(reply).join(' / ').slice(0, REPLY_CHARACTERS);
}

/** Who got which answer, equal ones together. */
export function answers(pairs: readonly (readonly [number, Outcome])[]): Json {
  const groups = new Map<string, number[]>();
  for (const [number, outcome] of pairs) {
    const text = outcome.reply === undefined ? undefined : replyText(outcome.reply);
    const why = outcome.kind === 'delivered' ? text : (text ?? outcome.reason);
    const key = `${outcome.kind}: ${why}`;
    const group = groups.get(key);
    if (group !== undefined) group.push(number);
    else if (groups.size < ANSWERS) groups.set(key, [number]);
  }
  return [...groups].map(([answer, recipients]) => ({ answer, recipients }));
}

function answerOf<T extends Json>(lookup: Lookup<T>): JsonObject {
  if (lookup.kind === 'failed') return { failed: lookup.reason };
  const { authentic } = lookup;
  if (lookup.kind === 'none') return { none: lookup.why, authentic };
  const records = lookup.records.slice(0, RECORDS);
  return { records, total: lookup.records.length, ttl: lookup.ttlSeconds, authentic };
}
