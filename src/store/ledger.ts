/** The ledger: what happened to each message and why, as recorded facts without bodies. */

import type { Awaitable, QueueId, SessionId } from '#base/brand.ts';
import type { JsonObject } from '#base/json.ts';

/** What a story is told in: one entry a session step, decision, delivery or attempt. */
export interface LedgerEntry {
  readonly atMs: number;
  readonly kind:
    | 'session'
    | 'refused'
    | 'accepted'
    | 'delivered'
    | 'attempt'
    | 'bounced'
    | 'expired'
    | 'notice'
    | 'admin';
  readonly session: SessionId | undefined;
  readonly queueId: QueueId | undefined;
  /** What it is found by: address keys, Message-IDs without brackets; at most 1,000. */
  readonly keys: readonly string[];
  readonly facts: JsonObject;
}

export interface LedgerReader {
  /** Every entry of the stories that a queue id, session id, Message-ID or address leads to. */
  trace(key: string, limit: number): Awaitable<readonly LedgerEntry[]>;
}
