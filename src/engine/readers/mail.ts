/** Reads mailboxes and messages. */

import type { AccountId, Awaitable, ContentId, MailboxId, ModSeq, Uid } from '#base/brand.ts';
import type {
  Changes,
  Detail,
  Mailbox,
  MailReader,
  MessageDetail,
  MessageSummary,
  SummaryOptions,
  UidRanges,
} from '#store/mail.ts';
import type { Connection } from '../connection.ts';
import { mailboxName } from '../names.ts';
import { GRACE_MS } from '../options.ts';
import { candidates } from './candidates.ts';
import { changesAfter } from './changes.ts';
import { withDetails } from './details.ts';
import { summariesOfFields } from './fields.ts';
import type { KnownFields } from './known-fields.ts';
import type { OctetReader } from './octets.ts';
import { SLICE_ROWS, pause } from './reading.ts';
import type { Reading } from './reading.ts';
import { mailboxFrom, messageFrom } from './rows.ts';
import type { MailboxColumns } from './rows.ts';
import { rowsWithin } from './ranges.ts';
import { summariesWithin } from './summaries.ts';
import { wholesOf } from './wholes.ts';

const BY_ID = `SELECT id, account, name, uid_validity, uid_next, highest_modseq, messages, unseen,
  deleted, size_bytes, special_use FROM mailboxes WHERE id = ?`;
const BY_NAME = `SELECT id, account, name, uid_validity, uid_next, highest_modseq, messages, unseen,
  deleted, size_bytes, special_use FROM mailboxes WHERE account = ? AND name = ?`;
const BY_ACCOUNT = `SELECT id, account, name, uid_validity, uid_next, highest_modseq, messages,
  unseen, deleted, size_bytes, special_use FROM mailboxes WHERE account = ? ORDER BY name`;
const UIDS = 'SELECT uid FROM messages WHERE mailbox = ? AND uid > ? ORDER BY uid LIMIT ? + 0';
const VANISHED = 'SELECT uid FROM tombstones WHERE mailbox = ? AND modseq > ?';

export class MailRows implements MailReader {
  readonly #reading: Reading;
  readonly #octets: OctetReader;
  readonly #fields: KnownFields;
  readonly #now: () => number;

  constructor(reading: Reading, octets: OctetReader, fields: KnownFields, now: () => number) {
    this.#reading = reading;
    this.#octets = octets;
    this.#fields = fields;
    this.#now = now;
  }

  mailboxes(account: AccountId): readonly Mailbox[] {
    return this.#reading.read((sql) =>
      sql.rows<MailboxColumns>(BY_ACCOUNT, account).map(mailboxFrom),
    );
  }

  mailbox(account: AccountId, name: string): Mailbox | undefined {
    return this.#reading.read((sql) => {
      const row = sql.row<MailboxColumns>(BY_NAME, account, mailboxName(name));
      return row === undefined ? undefined : mailboxFrom(row);
    });
  }

  mailboxById(id: MailboxId): Mailbox | undefined {
    return this.#reading.one((sql) => findMailbox(sql, id));
  }

  subscriptions(account: AccountId): readonly string[] {
    return this.#reading.read((sql) =>
      sql
        .rows<[string]>('SELECT name FROM subscriptions WHERE account = ? ORDER BY name', account)
        .map(([name]) => name),
    );
  }

  /**
   * Large mailboxes are read in slices with pauses. UIDs only grow, so later slices see what
   * came meanwhile; what vanished from slices already read is taken out at the end: the result
   * is the last slice's snapshot.
   */
  uids(
    id: MailboxId,
  ): Awaitable<{ readonly mailbox: Mailbox; readonly uids: readonly Uid[] } | undefined> {
    const first = this.#uidSlice(id, 0);
    if (first === undefined || first.uids.length < SLICE_ROWS) return first;
    return this.#furtherUids(id, first);
  }

  messages(
    id: MailboxId,
    ranges: UidRanges,
    options: {
      readonly limit: number;
      readonly details?: readonly Detail[];
      readonly expunged?: boolean;
    },
  ): readonly MessageDetail[] {
    const { limit, details = [] } = options;
    const readableMs = options.expunged === true ? this.#now() - GRACE_MS : undefined;
    return this.#reading.read((sql) => {
      const names = keywordNames(sql, id);
      const rows = rowsWithin(sql, id, ranges, limit, readableMs);
      const messages = rows.map((row) => messageFrom(id, row, names));
      return details.length === 0 ? messages : withDetails(sql, messages, details);
    });
  }

  summaries(id: MailboxId, ranges: UidRanges, options: SummaryOptions): readonly MessageSummary[] {
    const asked = { id, ...options, since: this.#now() - GRACE_MS };
    const { fields } = options;
    // Each message is read by one statement, which sees one commit; its head never changes.
    return this.#reading.one((sql) =>
      fields === undefined
        ? summariesWithin(sql, asked, ranges)
        : summariesOfFields(sql, { ...asked, fields }, ranges, this.#fields),
    );
  }

  mayHold(id: MailboxId, text: string): Awaitable<UidRanges> {
    return candidates(this.#reading, id, text);
  }

  changes(id: MailboxId, after: ModSeq): Awaitable<Changes> {
    return changesAfter(this.#reading, id, after);
  }

  octets(content: ContentId, from: number, lengthBytes: number): Awaitable<Uint8Array> {
    return this.#octets.read(content, from, lengthBytes);
  }

  wholes(contents: readonly ContentId[]): readonly (Uint8Array | undefined)[] {
    return this.#reading.one((sql) => wholesOf(sql, contents));
  }

  #uidSlice(id: MailboxId, after: number): { mailbox: Mailbox; uids: Uid[] } | undefined {
    return this.#reading.read((sql) => {
      const mailbox = findMailbox(sql, id);
      if (mailbox === undefined) return undefined;
      const uids = sql.rows<[Uid]>(UIDS, id, after, SLICE_ROWS).map(([uid]) => uid);
      return { mailbox, uids };
    });
  }

  async #furtherUids(
    id: MailboxId,
    first: { mailbox: Mailbox; uids: Uid[] },
  ): Promise<{ mailbox: Mailbox; uids: readonly Uid[] } | undefined> {
    const uids = first.uids;
    for (;;) {
      await pause();
      const after = uids.at(-1) ?? 0;
      const next = this.#reading.read((sql) => {
        const slice = this.#uidSlice(id, after);
        if (slice === undefined || slice.uids.length === SLICE_ROWS) return slice;
        const gone = sql.rows<[Uid]>(VANISHED, id, first.mailbox.highestModSeq);
        return { ...slice, gone: new Set(gone.map(([uid]) => uid)) };
      });
      if (next === undefined) return undefined;
      for (const uid of next.uids) uids.push(uid);
      if ('gone' in next) {
        const { mailbox, gone } = next;
        return { mailbox, uids: gone.size === 0 ? uids : uids.filter((uid) => !gone.has(uid)) };
      }
    }
  }
}

export function keywordNames(sql: Connection, id: MailboxId): Map<number, string> {
  return new Map(
    sql.rows<[number, string]>('SELECT number, name FROM keywords WHERE mailbox = ?', id),
  );
}

function findMailbox(sql: Connection, id: MailboxId): Mailbox | undefined {
  const row = sql.row<MailboxColumns>(BY_ID, id);
  return row === undefined ? undefined : mailboxFrom(row);
}
