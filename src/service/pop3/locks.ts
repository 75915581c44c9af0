/** Who has which maildrop open: one POP3 session at a time (RFC 1939 4), by memory alone. */

import type { AccountId } from '#base/brand.ts';

/** A session that holds a lock. */
export interface LockHolder {
  /** Milliseconds since its client was last heard or served. */
  idleMs(): number;
  /** Ends the session without removing anything. */
  evict(): void;
}

/**
 * Locks die with their session, and with the process: nothing on disk can stay locked. A client
 * that lost its line leaves a session that only the idle limit would end; such a silent holder
 * gives way to a new login after `takeoverMs`.
 */
export class MaildropLocks {
  readonly #takeoverMs: number;
  readonly #holders = new Map<AccountId, LockHolder>();

  constructor(takeoverMs = 60_000) {
    this.#takeoverMs = takeoverMs;
  }

  /** Whether the lock is now `holder`'s. */
  acquire(account: AccountId, holder: LockHolder): boolean {
    const current = this.#holders.get(account);
    if (current !== undefined && current !== holder) {
      if (current.idleMs() < this.#takeoverMs) return false;
      this.#holders.set(account, holder);
      current.evict();
      return true;
    }
    this.#holders.set(account, holder);
    return true;
  }

  /** Does nothing when the lock is another's. */
  release(account: AccountId, holder: LockHolder): void {
    if (this.#holders.get(account) === holder) this.#holders.delete(account);
  }
}
