/** Sessions kept open for the next message to the same host: each has one owner, or is here. */

import type { Clock, Timer } from '#base/world.ts';
import type { SmtpSession } from '#protocol/smtp/client/session.ts';

export interface KeptSession {
  readonly session: SmtpSession;
  /** Messages it has carried. */
  readonly messages: number;
  /** RSET comes before the next one. */
  readonly unfinished: boolean;
}

export interface KeptOptions {
  readonly clock: Clock;
  /** How long an idle session is kept; 0: not at all. */
  readonly idleMs: number;
  /** Messages after which a session ends. */
  readonly messages: number;
  /** Idle sessions at the same time, over all hosts. */
  readonly sessions: number;
}

interface Entry extends KeptSession {
  readonly key: string;
  readonly timer: Timer;
}

export class KeptSessions {
  readonly #options: KeptOptions;
  /** Oldest first. */
  readonly #entries = new Set<Entry>();
  #closed = false;

  constructor(options: KeptOptions) {
    this.#options = options;
  }

  /** A session for this host that is not known to be dead; the caller owns it now. */
  take(key: string): KeptSession | undefined {
    for (const entry of this.#entries) {
      if (entry.key !== key) continue;
      this.#remove(entry);
      if (entry.session.dialogue.failure === undefined) return entry;
    }
    return undefined;
  }

  /** Keeps a session that is in step, or ends it. */
  give(key: string, kept: KeptSession): void {
    const { clock, idleMs, messages, sessions } = this.#options;
    if (this.#closed || idleMs <= 0 || kept.messages >= messages || sessions <= 0) {
      void kept.session.quit();
      return;
    }
    const timer = clock.after(idleMs, () => {
      this.#entries.delete(entry);
      void kept.session.quit();
    });
    const entry: Entry = { ...kept, key, timer };
    this.#entries.add(entry);
    if (this.#entries.size <= sessions) return;
    const [oldest] = this.#entries;
    if (oldest !== undefined) {
      this.#remove(oldest);
      void oldest.session.quit();
    }
  }

  /** Ends all, and from now on whatever is given. */
  async close(): Promise<void> {
    this.#closed = true;
    const entries = [...this.#entries];
    for (const entry of entries) this.#remove(entry);
    await Promise.all(entries.map(({ session }) => session.quit()));
  }

  #remove(entry: Entry): void {
    entry.timer.cancel();
    this.#entries.delete(entry);
  }
}
