/** Who wants to know of commits: by mailbox, and for the queue. */

import type { MailboxId } from '#base/brand.ts';
import type { DueRecipient } from '#store/queue.ts';

type Listener = () => void;
type QueueListener = (rows?: readonly DueRecipient[]) => void;

/** Calls listeners; one that throws does not keep the others from hearing. */
export class Watchers {
  readonly #mailboxes = new Map<number, Set<{ readonly listener: Listener }>>();
  readonly #queue = new Set<{ readonly listener: QueueListener }>();
  readonly #failed: (thrown: unknown) => void;

  constructor(failed: (thrown: unknown) => void) {
    this.#failed = failed;
  }

  watchMailbox(id: MailboxId, listener: Listener): () => void {
    const entry = { listener };
    const entries = this.#mailboxes.get(id) ?? new Set();
    this.#mailboxes.set(id, entries.add(entry));
    return () => {
      entries.delete(entry);
      if (entries.size === 0 && this.#mailboxes.get(id) === entries) this.#mailboxes.delete(id);
    };
  }

  watchQueue(listener: QueueListener): () => void {
    const entry = { listener };
    this.#queue.add(entry);
    return () => {
      this.#queue.delete(entry);
    };
  }

  changed(mailboxes: Iterable<number>, queue: boolean): void {
    for (const id of mailboxes) this.#call(this.#mailboxes.get(id));
    if (queue) this.#call(this.#queue);
  }

  /** These rows are new in the queue. */
  queued(rows: readonly DueRecipient[]): void {
    this.#call(this.#queue, rows);
  }

  /** Another process has written, and nobody knows what. */
  allChanged(): void {
    this.changed([...this.#mailboxes.keys()], true);
  }

  #call(
    entries: ReadonlySet<{ readonly listener: QueueListener }> | undefined,
    rows?: readonly DueRecipient[],
  ): void {
    for (const { listener } of Array.from(entries ?? [])) {
      try {
        listener(rows);
      } catch (thrown) {
        this.#failed(thrown);
      }
    }
  }
}
