/** Who wants to know of commits: by mailbox, and for the queue. */

import type { MailboxId } from '#base/brand.ts';

type Listener = () => void;

/** Calls listeners; one that throws does not keep the others from hearing. */
export class Watchers {
  readonly #mailboxes = new Map<number, Set<{ readonly listener: Listener }>>();
  readonly #queue = new Set<{ readonly listener: Listener }>();
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

  watchQueue(listener: Listener): () => void {
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

  /** Another process has written, and nobody knows what. */
  allChanged(): void {
    this.changed([...this.#mailboxes.keys()], true);
  }

  #call(entries: ReadonlySet<{ readonly listener: Listener }> | undefined): void {
    for (const { listener } of Array.from(entries ?? [])) {
      try {
        listener();
      } catch (thrown) {
        this.#failed(thrown);
      }
    }
  }
}
