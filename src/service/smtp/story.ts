/** What an SMTP session did, line by line, for the ledger: capped, without secrets or bodies. */

import type { SessionId } from '#base/brand.ts';
import type { Json, JsonObject } from '#base/json.ts';
import { type Reply, formatReply } from '#protocol/smtp/reply.ts';
import type { LedgerEntry } from '#store/ledger.ts';

const LINES = 60;
const LINE_CHARACTERS = 300;
const KEYS = 200;

/** Collects one session's dialogue and refusals. */
export class Story {
  readonly session: SessionId;
  #lines: string[] = [];
  #left = 0;
  #refusals: JsonObject[] = [];
  #keys = new Set<string>();

  constructor(session: SessionId) {
    this.session = session;
  }

  /** One command and its answer. */
  replied(command: string, reply: Reply): void {
    if (this.#lines.length >= LINES) {
      this.#left += 1;
      return;
    }
    const count = reply.lines.length;
    const last = count === 1 ? reply : { ...reply, lines: reply.lines.slice(-1) };
    const text = `${command} -> ${count === 1 ? '' : `${count} lines: `}${formatReply(last)}`;
    this.#lines.push(text.slice(0, LINE_CHARACTERS).trimEnd());
  }

  /** A decision against the client: which rule, why, about whom. */
  refused(facts: JsonObject, keys: readonly string[]): void {
    if (this.#refusals.length < LINES) this.#refusals.push(facts);
    for (const key of keys) if (this.#keys.size < KEYS) this.#keys.add(key);
  }

  get hasRefusals(): boolean {
    return this.#refusals.length > 0;
  }

  /** The dialogue since the last call, for the message that was just accepted. */
  takeDialogue(): Json {
    const lines = this.#left === 0 ? this.#lines : [...this.#lines, `(${this.#left} more)`];
    this.#lines = [];
    this.#left = 0;
    return lines;
  }

  /** The entry about everything that was refused, or undefined when nothing was. */
  takeRefusals(atMs: number, facts: JsonObject): LedgerEntry | undefined {
    if (this.#refusals.length === 0) return undefined;
    const refusals = this.#refusals;
    const keys = [...this.#keys];
    this.#refusals = [];
    this.#keys = new Set();
    return {
      atMs,
      kind: 'refused',
      session: this.session,
      queueId: undefined,
      keys,
      facts: { ...facts, refusals, dialogue: this.takeDialogue() },
    };
  }
}
