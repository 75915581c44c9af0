/** The memory store as a session reaches it, with switches for failures and delays. */

import type { AccountId, MailboxId, Uid } from '#base/brand.ts';
import { NO_BYTES, concat, utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { fieldPicker } from '#message/field-picker.ts';
import type { Committed, Durable } from '#store/durable.ts';
import type { Message, MessageDetail, MessageSummary } from '#store/mail.ts';
import type { Operations } from '#store/operations.ts';
import type { Access, AppendOutcome, MailInput, MailOperation, Upload } from './access.ts';
import { inRanges } from './syntax/number-set.ts';
import { MemoryMail, type Box } from './fixture-mail.test.ts';

type Results = { [K in MailOperation]: Operations[K]['result'] };
type Writers = { [K in MailOperation]: (input: MailInput<K>) => Results[K] };

export class MemoryAccess implements Access {
  readonly mail: MemoryMail;
  /** Awaited before each write: a test can hold the disk back, or make it fail. */
  beforeWrite: () => Promise<void> = async () => undefined;
  /** Whether summaries have heads: else each is read by itself, as a large one is. */
  knowsHeads = true;
  /** Whether messages can be read together: else none lies where that is possible. */
  knowsWholes = true;
  /** The most octets of messages that were asked for together. */
  mostTogether = 0;
  /** Called before octets are read. */
  beforeOctets: (message: Message, from: number) => void = () => undefined;
  readonly writes: string[] = [];
  openUploads = 0;
  readonly #news: () => void;
  #watched: Box | undefined;

  constructor(mail: MemoryMail, news: () => void) {
    this.mail = mail;
    this.#news = news;
  }

  mailboxes(): ReturnType<Access['mailboxes']> {
    return [...this.mail.boxes.values()].map((box) => this.mail.row(box));
  }

  mailbox(name: string): ReturnType<Access['mailbox']> {
    const box = this.mail.boxes.get(name);
    return box === undefined ? undefined : this.mail.row(box);
  }

  mailboxById(id: MailboxId): ReturnType<Access['mailboxById']> {
    const box = this.mail.byId(id);
    return box === undefined ? undefined : this.mail.row(box);
  }

  subscriptions(): ReturnType<Access['subscriptions']> {
    return [...this.mail.subscriptions].sort();
  }

  uids(id: MailboxId): ReturnType<Access['uids']> {
    const box = this.mail.byId(id);
    if (box === undefined) return undefined;
    return { mailbox: this.mail.row(box), uids: box.messages.map((message) => message.uid) };
  }

  messages(...[id, ranges, options]: Parameters<Access['messages']>): readonly MessageDetail[] {
    const box = this.mail.byId(id);
    if (box === undefined) return [];
    const all = options.expunged === true ? [...box.messages, ...box.expunged] : box.messages;
    return all
      .filter((message) => inRanges(ranges, message.uid))
      .sort((a, b) => a.uid - b.uid)
      .slice(0, options.limit)
      .map((message) => withOnly(message, options.details ?? []));
  }

  summaries(
    ...[id, ranges, { limit, parts, fields }]: Parameters<Access['summaries']>
  ): readonly MessageSummary[] {
    const details = (['envelope', 'bodyStructure'] as const).filter((one) => parts.includes(one));
    const rows = this.messages(id, ranges, { limit, details, expunged: true });
    const ofHeads = parts.includes('head');
    return rows.map((message) => {
      const whole = ofHeads ? this.octets(message, 0, message.headBytes) : NO_BYTES;
      const head = fields === undefined ? whole : fieldsOf(whole, fields);
      const lacking = ofHeads && !this.knowsHeads;
      return { envelope: '', bodyStructure: '', ...message, head, lacking };
    });
  }

  /** No index: everything is looked at. */
  mayHold(): ReturnType<Access['mayHold']> {
    return [[1, 0xffff_ffff]];
  }

  changes(...[id, after]: Parameters<Access['changes']>): ReturnType<Access['changes']> {
    const box = this.#box(id);
    return {
      highestModSeq: this.mail.row(box).highestModSeq,
      changed: box.messages.filter((message) => message.modSeq > after),
      vanished: box.vanished.filter((gone) => gone.modSeq > after).map((gone) => gone.uid),
    };
  }

  octets(message: Message, from: number, lengthBytes: number): Uint8Array {
    this.beforeOctets(message, from);
    const box = this.#box(message.mailbox);
    const found = [...box.messages, ...box.expunged].find((one) => one.uid === message.uid);
    return found?.octets.subarray(from, from + lengthBytes) ?? new Uint8Array(0);
  }

  wholes(messages: readonly Message[]): readonly (Uint8Array | undefined)[] {
    const bytes = messages.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    this.mostTogether = Math.max(this.mostTogether, bytes);
    return messages.map((message) => {
      if (!this.knowsWholes) return undefined;
      try {
        return this.octets(message, 0, message.sizeBytes);
      } catch (thrown) {
        if (thrown instanceof Failure) return undefined;
        throw thrown;
      }
    });
  }

  async write<K extends MailOperation>(
    operation: K,
    input: MailInput<K>,
  ): Promise<Committed<Operations[K]['result']>> {
    this.writes.push(operation);
    await this.beforeWrite();
    return { durable: PROOF, result: this.#writers[operation](input) };
  }

  upload(): Upload {
    const pieces: Uint8Array[] = [];
    let open = true;
    this.openUploads++;
    const over = (): void => {
      if (open) this.openUploads--;
      open = false;
    };
    return {
      write: (bytes) => void pieces.push(bytes),
      append: async (mailbox, flags, dateMs): Promise<AppendOutcome> => {
        this.writes.push('append');
        await this.beforeWrite();
        const box = this.#box(mailbox);
        const { uid } = this.mail.add(box, concat(pieces), flags, dateMs ?? 0);
        const { highestModSeq } = this.mail.row(box);
        over();
        const { uidValidity } = box;
        const result = { kind: 'appended', uidValidity, uids: [uid], highestModSeq } as const;
        return { kind: 'written', written: { durable: PROOF, result } };
      },
      discard: over,
    };
  }

  watch(id: MailboxId | undefined): void {
    this.#watched?.watchers.delete(this.#news);
    this.#watched = id === undefined ? undefined : this.mail.byId(id);
    this.#watched?.watchers.add(this.#news);
  }

  readonly #writers: Writers = {
    storeFlags: ({ mailbox, uids, mode, flags, unchangedSince }) => {
      const box = this.#box(mailbox);
      const looked = box.messages.filter((message) => inRanges(uids, message.uid));
      const later = (message: Message): boolean =>
        unchangedSince !== undefined && message.modSeq > unchangedSince;
      const modified = looked.filter(later).map((message) => message.uid);
      const changed = looked
        .filter((message) => !later(message))
        .map((message) => {
          const old = message.flags;
          const rest = old.filter((flag) => !flags.includes(flag));
          if (mode === 'remove') return { message, next: rest };
          return { message, next: mode === 'add' ? [...rest, ...flags] : flags };
        })
        // As the engine does: what has the flags already is listed with its old sequence.
        .map(({ message, next }) => {
          const same = [...next].sort().join() === [...message.flags].sort().join();
          return same ? message : this.mail.setFlags(box, message.uid, next);
        })
        .filter((message) => message !== undefined);
      return { kind: 'stored', changed, modified };
    },
    copy: ({ from, to, uids, move }) => {
      const source = this.#box(from);
      const target = this.#box(to);
      const pairs = source.messages
        .filter((message) => inRanges(uids, message.uid))
        .map((message): readonly [Uid, Uid] => {
          const { octets, flags, internalDateMs } = message;
          return [message.uid, this.mail.add(target, octets, flags, internalDateMs).uid];
        });
      const gone = pairs.map(([uid]): readonly [number, number] => [uid, uid]);
      if (move) this.mail.expunge(source, gone, false);
      return { kind: 'copied', uidValidity: target.uidValidity, pairs };
    },
    expunge: ({ mailbox, uids, onlyDeleted }) => {
      const box = this.#box(mailbox);
      const gone = this.mail.expunge(box, uids, onlyDeleted);
      return { kind: 'expunged', uids: gone, highestModSeq: this.mail.row(box).highestModSeq };
    },
    createMailbox: ({ name, specialUse }) => {
      if (this.mail.boxes.has(name)) return { kind: 'exists' };
      return { kind: 'created', mailbox: this.mail.create(name, specialUse).id };
    },
    deleteMailbox: ({ mailbox }) => {
      const box = this.#box(mailbox);
      const names = [...this.mail.boxes.keys()];
      if (names.some((name) => name.startsWith(`${box.name}/`))) return { kind: 'has-children' };
      this.mail.boxes.delete(box.name);
      this.mail.changed(box);
      return { kind: 'done' };
    },
    renameMailbox: ({ mailbox, to }) => {
      const box = this.#box(mailbox);
      if (this.mail.boxes.has(to)) return { kind: 'exists' };
      if (to.startsWith(`${box.name}/`)) return { kind: 'into-itself' };
      this.mail.boxes.delete(box.name);
      box.name = to;
      this.mail.boxes.set(to, box);
      return { kind: 'done' };
    },
    subscribe: ({ name, on }) => {
      if (on) this.mail.subscriptions.add(name);
      else this.mail.subscriptions.delete(name);
      return { kind: 'done' };
    },
  };

  #box(id: MailboxId): Box {
    const box = this.mail.byId(id);
    if (box === undefined) throw Failure.temporary('no-such-mailbox', 'the mailbox is gone');
    return box;
  }
}

export const ACCOUNT = 7 as AccountId;

/** The machine never looks at it; the engine alone can make a real one. */
const PROOF = Object.freeze({}) as Durable;

function fieldsOf(head: Uint8Array, names: ReadonlySet<string>): Uint8Array {
  const spans = fieldPicker(names, true)(head);
  const pieces = spans.map((at, index) =>
    head.subarray(at, index % 2 === 0 ? spans[index + 1] : at),
  );
  return concat([...pieces, utf8('\r\n')]);
}

function withOnly(message: MessageDetail, details: readonly string[]): MessageDetail {
  const row: Record<string, unknown> = { ...message };
  delete row['octets'];
  for (const detail of ['envelope', 'bodyStructure', 'parts', 'search']) {
    if (!details.includes(detail)) delete row[detail];
  }
  return row as unknown as MessageDetail;
}
