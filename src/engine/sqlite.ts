/** The store on SQLite: one writer, readers on snapshots, bodies in files. */

import type { MailboxId } from '#base/brand.ts';
import { Failure } from '#base/failure.ts';
import type { Log } from '#base/world.ts';
import type { Spool } from '#store/content.ts';
import type { Directory } from '#store/directory.ts';
import type { Committed } from '#store/durable.ts';
import type { LedgerReader } from '#store/ledger.ts';
import type { MailReader } from '#store/mail.ts';
import type { MemoryReader } from '#store/memories.ts';
import type { OperationName, Operations } from '#store/operations.ts';
import type { DueRecipient, QueueReader } from '#store/queue.ts';
import type { Store } from '#store/store.ts';
import { GRACE_MS } from './options.ts';
import type { StoreLimits, StoreOptions } from './options.ts';
import { hasRow, removeOrphans } from './orphans.ts';
import { contentsOf, outsource } from './outsource.ts';
import type { Place } from './place.ts';
import { expungeInPortions } from './portions.ts';
import { DirectoryCache } from './readers/directory.ts';
import { LedgerRows } from './readers/ledger.ts';
import { MailRows } from './readers/mail.ts';
import { MemoryRows } from './readers/memories.ts';
import { FreshContents } from './readers/fresh.ts';
import { KnownFields } from './readers/known-fields.ts';
import { OctetReader } from './readers/octets.ts';
import { QueueRows } from './readers/queue.ts';
import type { Reading } from './readers/reading.ts';
import { DiskRoom } from './room.ts';
import { SpoolRoom } from './spool.ts';
import { Watchers } from './watchers.ts';
import { WriterLink } from './writer/link.ts';
import type { WriteCounters } from './writer/link.ts';
import type { BatchDone } from './writer/message.ts';
import { localPort, threadPort } from './writer/ports.ts';

/** The store, and what only those who run it want to know. */
export interface EngineStore extends Store {
  /** Since it was opened. */
  counters(): WriteCounters;
  /** Whether another process wrote is looked up now, not at the next tick. */
  lookAround(): void;
}

export class SqliteStore implements EngineStore {
  readonly mail: MailReader;
  readonly queue: QueueReader;
  readonly directory: Directory;
  readonly ledger: LedgerReader;
  readonly memories: MemoryReader;
  readonly #reading: Reading;
  readonly #octets: OctetReader;
  readonly #fresh: FreshContents;
  readonly #cache: DirectoryCache;
  readonly #watchers: Watchers;
  readonly #room: DiskRoom;
  readonly #spool: SpoolRoom;
  readonly #link: WriterLink;
  readonly #limits: StoreLimits;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout | undefined;
  /** Rows of the last commits that nobody was told of yet. */
  #queued: DueRecipient[] = [];
  #dataVersion: number;
  #tidying: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: StoreOptions, limits: StoreLimits, place: Place, reading: Reading) {
    const now = options.now ?? Date.now;
    this.#limits = limits;
    this.#log = options.log;
    this.#reading = reading;
    this.#fresh = new FreshContents(limits.freshBytes);
    this.#octets = new OctetReader(reading, place.spool, limits.openFiles, this.#fresh);
    this.#cache = new DirectoryCache(reading, now);
    this.mail = new MailRows(reading, this.#octets, new KnownFields(limits.fieldBytes), now);
    this.queue = new QueueRows(reading);
    this.directory = this.#cache;
    this.ledger = new LedgerRows(reading);
    this.memories = new MemoryRows(reading);
    this.#watchers = new Watchers((thrown) => this.#warn('watcher-failed', thrown));
    this.#room = new DiskRoom(place.directory, limits.minimumFreeBytes, now);
    this.#spool = new SpoolRoom(place.spool, limits.inlineBytes, (name) => hasRow(reading, name));
    const openPort = options.thread === false ? localPort : threadPort;
    this.#link = new WriterLink({
      limits,
      now,
      openPort: (listener) => openPort({ place, limits }, listener),
      committed: (done) => this.#committed(done),
      foreign: () => this.#foreign(),
      lost: (cause) => this.#warn('writer-lost', cause),
    });
    this.#dataVersion = reading.read((sql) => sql.dataVersion());
    const intervalMs = options.foreignCheckMs ?? 500;
    if (intervalMs > 0) {
      this.#timer = setInterval(() => this.lookAround(), intervalMs);
      this.#timer.unref();
    }
  }

  spool(): Spool {
    return this.#spool.spool();
  }

  hasRoom(expectedBytes: number): boolean {
    return this.#room.hasRoom(expectedBytes);
  }

  counters(): WriteCounters {
    return this.#link.counters();
  }

  async write<K extends OperationName>(
    operation: K,
    input: Operations[K]['input'],
  ): Promise<Committed<Operations[K]['result']>> {
    const contents = contentsOf(operation, input);
    const { inlineBytes } = this.#spool;
    const isLarge = contents.some(
      ({ body }) => body instanceof Uint8Array && body.length > inlineBytes,
    );
    const committed = isLarge
      ? await this.#writeLarge(operation, input)
      : await this.#write(operation, input);
    for (const { body } of contents) {
      if (!(body instanceof Uint8Array)) this.#spool.forget(body.name);
    }
    if (operation === 'sweep') {
      this.tidy();
      await this.#tidying;
    }
    return committed;
  }

  watchMailbox(id: MailboxId, listener: () => void): () => void {
    return this.#watchers.watchMailbox(id, listener);
  }

  watchQueue(listener: (rows?: readonly DueRecipient[]) => void): () => void {
    return this.#watchers.watchQueue(listener);
  }

  lookAround(): void {
    try {
      const version = this.#reading.read((sql) => sql.dataVersion());
      if (version === this.#dataVersion) return;
      this.#dataVersion = version;
      // Somebody wrote; whether it was somebody else the writer knows.
      this.#link.look();
    } catch (thrown) {
      this.#warn('look-failed', thrown);
    }
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    // The writer is the last to close, so that it can put the log away.
    await this.#link.finish();
    await this.#tidying;
    await this.#octets.close();
    this.#reading.close();
    await this.#link.close();
  }

  /** In the background: whoever opens the store does not wait for it, whoever closes it does. */
  tidy(): void {
    this.#tidying = this.#removeOrphans();
  }

  async #removeOrphans(): Promise<void> {
    try {
      const files = await removeOrphans(this.#spool, this.#reading, GRACE_MS);
      if (files > 0) this.#log.event('info', 'orphans-removed', { files });
    } catch (thrown) {
      this.#warn('orphans-failed', thrown);
    }
  }

  #write<K extends OperationName>(
    operation: K,
    input: Operations[K]['input'],
  ): Promise<Committed<Operations[K]['result']>> {
    if (operation === 'accept') {
      const accepted = this.#accept(input as Operations['accept']['input']);
      return accepted as Promise<Committed<Operations[K]['result']>>;
    }
    if (operation !== 'expunge') return this.#link.write(operation, input);
    const written = expungeInPortions(
      this.#reading,
      input as Operations['expunge']['input'],
      this.#limits.expungedMessages,
      (portion) => this.#link.write('expunge', portion),
    );
    return written as Promise<Committed<Operations[K]['result']>>;
  }

  /** What is to be sent on is kept at hand, and whoever sends it is told what there is. */
  async #accept(
    input: Operations['accept']['input'],
  ): Promise<Committed<Operations['accept']['result']>> {
    const { id, relay } = input.acceptance;
    if (relay === undefined) return this.#link.write('accept', input);
    const octets = this.#fresh.copy(relay.content);
    const committed = await this.#link.write('accept', input);
    const { queued } = committed.result;
    if (queued !== undefined && octets !== undefined) this.#fresh.put(queued, octets);
    if (this.#queued.length === 0) setImmediate(() => this.#tellQueued());
    relay.recipients.forEach(({ domain, nextMs, held }, at) => {
      if (held === undefined) this.#queued.push({ id, number: at + 1, domain, nextMs });
    });
    return committed;
  }

  #tellQueued(): void {
    const rows = this.#queued;
    this.#queued = [];
    if (rows.length > 0) this.#watchers.queued(rows);
  }

  async #writeLarge<K extends OperationName>(
    operation: K,
    input: Operations[K]['input'],
  ): Promise<Committed<Operations[K]['result']>> {
    const moved = await outsource(this.#spool, operation, input);
    try {
      return await this.#write(operation, moved.input);
    } finally {
      // Removes only what no row names.
      moved.discard();
    }
  }

  /** After the promises of the batch were resolved: whoever wrote goes on before the watchers. */
  #committed(done: BatchDone): void {
    if (done.sequence === undefined) return;
    if (done.directory) this.#cache.refresh();
    if (done.mailboxes.length === 0 && !done.queue) return;
    setImmediate(() => this.#watchers.changed(done.mailboxes, done.queue));
  }

  #foreign(): void {
    this.#cache.refresh();
    this.#watchers.allChanged();
  }

  #warn(name: string, thrown: unknown): void {
    const { code, message } = Failure.from(thrown);
    this.#log.event('error', name, { code, message });
  }
}
