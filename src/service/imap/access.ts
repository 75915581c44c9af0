/** The store as one account may see it: every id is checked to be its own. */

import type { AccountId, Awaitable, MailboxId, ModSeq, Uid } from '#base/brand.ts';
import { Failure } from '#base/failure.ts';
import type { Clock } from '#base/world.ts';
import type { Access, MailInput, MailOperation, Upload } from '#protocol/imap/access.ts';
import type { Committed } from '#store/durable.ts';
import type {
  Changes,
  Mailbox,
  MailReader,
  Message,
  MessageDetail,
  MessageSummary,
  UidRanges,
} from '#store/mail.ts';
import type { OperationName, Operations } from '#store/operations.ts';
import type { Store } from '#store/store.ts';
import { AppendUpload } from './upload.ts';

const NOTHING = new Uint8Array(0);

export class AccountAccess implements Access {
  readonly #store: Store;
  readonly #mail: MailReader;
  readonly #clock: Clock;
  readonly #account: AccountId;
  readonly #news: () => void;
  readonly #uploads = new Set<Upload>();
  /** Mailboxes found to be its own: an id is never used twice, and a mailbox changes no hands. */
  readonly #mine = new Set<MailboxId>();
  #unwatch: (() => void) | undefined;
  #closed = false;

  constructor(
    site: { readonly store: Store; readonly clock: Clock },
    account: AccountId,
    news: () => void,
  ) {
    this.#store = site.store;
    this.#mail = site.store.mail;
    this.#clock = site.clock;
    this.#account = account;
    this.#news = news;
  }

  mailboxes(): Awaitable<readonly Mailbox[]> {
    return this.#mail.mailboxes(this.#account);
  }

  mailbox(name: string): Awaitable<Mailbox | undefined> {
    return this.#mail.mailbox(this.#account, name);
  }

  mailboxById(id: MailboxId): Awaitable<Mailbox | undefined> {
    return then(this.#mail.mailboxById(id), (mailbox) => {
      if (mailbox?.account !== this.#account) return undefined;
      this.#mine.add(id);
      return mailbox;
    });
  }

  subscriptions(): Awaitable<readonly string[]> {
    return this.#mail.subscriptions(this.#account);
  }

  uids(
    id: MailboxId,
  ): Awaitable<{ readonly mailbox: Mailbox; readonly uids: readonly Uid[] } | undefined> {
    return this.#own(id, () => this.#mail.uids(id), undefined);
  }

  messages(
    id: MailboxId,
    ranges: Parameters<MailReader['messages']>[1],
    options: Parameters<MailReader['messages']>[2],
  ): Awaitable<readonly MessageDetail[]> {
    return this.#own(id, () => this.#mail.messages(id, ranges, options), []);
  }

  summaries(
    id: MailboxId,
    ranges: Parameters<MailReader['summaries']>[1],
    options: Parameters<MailReader['summaries']>[2],
  ): Awaitable<readonly MessageSummary[]> {
    const read = (): Awaitable<readonly MessageSummary[]> =>
      this.#mail.summaries(id, ranges, options);
    return this.#mine.has(id) ? read() : this.#own(id, read, []);
  }

  mayHold(id: MailboxId, text: string): Awaitable<UidRanges> {
    return this.#own(id, () => this.#mail.mayHold(id, text), []);
  }

  changes(id: MailboxId, after: ModSeq): Awaitable<Changes> {
    const none: Changes = { highestModSeq: after, changed: [], vanished: [] };
    return this.#own(id, () => this.#mail.changes(id, after), none);
  }

  /**
   * `message` came out of `messages`, so its content is one of its mailbox; looked up again for
   * each message, that mailbox would cost a third of a FETCH.
   */
  octets(message: Message, from: number, lengthBytes: number): Awaitable<Uint8Array> {
    const read = (): Awaitable<Uint8Array> => this.#mail.octets(message.content, from, lengthBytes);
    if (this.#mine.has(message.mailbox)) return read();
    return this.#own(message.mailbox, read, NOTHING);
  }

  wholes(messages: readonly Message[]): Awaitable<readonly (Uint8Array | undefined)[]> {
    const mine = messages.filter(({ mailbox }) => this.#mine.has(mailbox));
    if (mine.length < messages.length) return [];
    return this.#mail.wholes(messages.map(({ content }) => content));
  }

  async write<K extends MailOperation>(
    operation: K,
    input: MailInput<K>,
  ): Promise<Committed<Operations[K]['result']>> {
    for (const id of mailboxesIn(input)) {
      if ((await this.mailboxById(id)) === undefined) {
        throw Failure.permanent('not-yours', 'the mailbox is not one of this account');
      }
    }
    const whole = { ...input, account: this.#account, nowMs: this.#clock.now() };
    // The types of `MailInput` leave out exactly what is put in here.
    return this.#store.write<OperationName>(operation, whole as never) as Promise<
      Committed<Operations[K]['result']>
    >;
  }

  upload(sizeBytes: number): Upload {
    if (this.#closed || !this.#store.hasRoom(sizeBytes)) {
      throw Failure.temporary('disk-full', 'there is no room for more mail');
    }
    const upload = new AppendUpload(this.#store, this.#clock, {
      mayWrite: async (id) => (await this.mailboxById(id)) !== undefined,
      over: () => this.#uploads.delete(upload),
    });
    this.#uploads.add(upload);
    return upload;
  }

  watch(id: MailboxId | undefined): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
    if (id === undefined || this.#closed) return;
    this.#unwatch = this.#store.watchMailbox(id, this.#news);
  }

  /** The session is over: nothing is watched, nothing half uploaded stays. */
  close(): void {
    this.#closed = true;
    this.watch(undefined);
    for (const upload of this.#uploads) upload.discard();
  }

  #own<T>(id: MailboxId, run: () => Awaitable<T>, otherwise: T): Awaitable<T> {
    return then(this.mailboxById(id), (mailbox) => (mailbox === undefined ? otherwise : run()));
  }
}

/** The ids of mailboxes in an input, whatever the operation. */
function mailboxesIn(input: object): readonly MailboxId[] {
  const ids: MailboxId[] = [];
  for (const key of ['mailbox', 'from', 'to']) {
    const id: unknown = Reflect.get(input, key);
    if (typeof id === 'number') ids.push(id as MailboxId);
  }
  return ids;
}

/** Goes on at once when the value is there: most reads are synchronous. */
function then<T, U>(value: Awaitable<T>, go: (value: T) => Awaitable<U>): Awaitable<U> {
  return value instanceof Promise ? value.then(go) : go(value);
}
