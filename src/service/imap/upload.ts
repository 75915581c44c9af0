/** A message that comes by APPEND: spooled as it arrives, its facts read, then written. */

import type { Awaitable, MailboxId } from '#base/brand.ts';
import { inTurns } from '#base/turns.ts';
import type { Clock } from '#base/world.ts';
import { Arrival } from '#agents/arrival.ts';
import { describe, factsOf } from '#agents/mda.ts';
import type { AppendOutcome, Upload } from '#protocol/imap/access.ts';
import type { Store } from '#store/store.ts';

export interface UploadOwner {
  /** Whether this mailbox belongs to the account. */
  mayWrite(mailbox: MailboxId): Promise<boolean>;
  /** Nothing is left to discard. */
  over(): void;
}

export class AppendUpload implements Upload {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #owner: UploadOwner;
  readonly #arrival: Arrival;
  #over = false;

  constructor(store: Store, clock: Clock, owner: UploadOwner) {
    this.#store = store;
    this.#clock = clock;
    this.#owner = owner;
    this.#arrival = new Arrival(store.spool());
  }

  write(bytes: Uint8Array): Awaitable<void> {
    return this.#over ? undefined : this.#arrival.write(bytes);
  }

  async append(
    mailbox: MailboxId,
    flags: readonly string[],
    internalDateMs: number | undefined,
  ): Promise<AppendOutcome> {
    if (!(await this.#owner.mayWrite(mailbox))) {
      return { kind: 'refused', why: 'There is no such mailbox' };
    }
    if (this.#arrival.headTooLarge) {
      return { kind: 'refused', why: 'The header is too large' };
    }
    const { content, structure } = await this.#arrival.finish();
    const facts = factsOf(await inTurns(this.#clock, describe({ content, structure })));
    const dateMs = internalDateMs ?? this.#clock.now();
    const message = { flags, internalDateMs: dateMs, content, facts };
    const written = await this.#store.write('append', { mailbox, messages: [message] });
    if (written.result.kind === 'appended') this.#end();
    return { kind: 'written', written };
  }

  discard(): void {
    if (this.#over) return;
    this.#end();
    this.#arrival.discard();
  }

  #end(): void {
    this.#over = true;
    this.#owner.over();
  }
}
