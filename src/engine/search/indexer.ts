/** Indexes mailboxes behind: a block at a time, when the writer has nothing better to do. */

import { eachSearchText, foldText, searchTextBytes } from '#message/search-text.ts';
import { decodeParts } from '#message/tree.ts';
import type { Connection } from '../connection.ts';
import { isMediumError } from '../failures.ts';
import { encodeBlock } from './block.ts';
import type { Signed } from './block.ts';
import { ContentOctets } from './octets.ts';
import { SignatureMaker, TRIGRAM } from './signature.ts';

/** Messages of a block; fewer are left to the scan of what is not indexed. */
export const BLOCK_MESSAGES = 64;
/** Octets of texts after which a block ends: a few milliseconds of work. */
const BLOCK_TEXT_BYTES = 262_144;
/** A message with more text than this is always read. */
const MESSAGE_TEXT_BYTES = 262_144;

const BEHIND = `SELECT id FROM mailboxes WHERE id > ?1 AND uid_next - coalesce((SELECT max(last_uid)
  FROM search_blocks WHERE mailbox = mailboxes.id), 0) > ?2 ORDER BY id`;
const INDEXED = 'SELECT max(last_uid) FROM search_blocks WHERE mailbox = ?';
const NEXT = `SELECT messages.uid, messages.content, contents.parts, contents.subject,
  contents.sender, contents.recipient, contents.copied, contents.blind
  FROM messages JOIN contents ON contents.id = messages.content
  WHERE messages.mailbox = ? AND messages.uid > ? ORDER BY messages.uid LIMIT ? + 0`;
const INSERT = 'INSERT INTO search_blocks VALUES (?, ?, ?, ?, ?)';

type Row = readonly [
  uid: number,
  content: number,
  parts: string | null,
  ...fields: (string | null)[],
];

/** Knows which mailboxes may have enough messages for a block. */
export class Indexer {
  readonly #spool: string;
  readonly #maker = new SignatureMaker();
  readonly #waiting = new Set<number>();
  #isNew = true;

  constructor(spool: string) {
    this.#spool = spool;
  }

  /** Messages came to these mailboxes. */
  changed(mailboxes: Iterable<number>): void {
    for (const id of mailboxes) this.#waiting.add(id);
  }

  /** Nothing is known: all mailboxes are looked at. */
  forget(): void {
    this.#isNew = true;
  }

  /** After an error: nothing is tried again until something changes. */
  giveUp(): void {
    this.#waiting.clear();
    this.#isNew = false;
  }

  get isBehind(): boolean {
    return this.#isNew || this.#waiting.size > 0;
  }

  /** Writes one block in a transaction of its own, if there is one to write. */
  step(sql: Connection): void {
    if (this.#isNew) {
      this.changed(sql.rows<[number]>(BEHIND, 0, BLOCK_MESSAGES).map(([id]) => id));
      this.#isNew = false;
    }
    for (const mailbox of this.#waiting) {
      const after = sql.row<[number | null]>(INDEXED, mailbox)?.[0] ?? 0;
      const rows = sql.rows<Row>(NEXT, mailbox, after, BLOCK_MESSAGES);
      if (rows.length < BLOCK_MESSAGES) {
        this.#waiting.delete(mailbox);
        continue;
      }
      this.#write(sql, mailbox, after, rows);
      return;
    }
  }

  #write(sql: Connection, mailbox: number, after: number, rows: readonly Row[]): void {
    const signed: Signed[] = [];
    let bytes = 0;
    // One transaction for all that is read too: each statement would begin and end one.
    sql.run('BEGIN IMMEDIATE');
    for (const row of rows) {
      if (bytes >= BLOCK_TEXT_BYTES) break;
      const read = this.#sign(sql, row);
      signed.push({ uid: row[0], signature: read.signature });
      bytes += read.bytes;
    }
    const last = signed.at(-1)?.uid ?? after;
    const block = encodeBlock(signed);
    sql.run(INSERT, mailbox, last, after + 1, block.checked, block.bytes);
    sql.run('COMMIT');
  }

  /** No signature for what cannot be read: then nothing is said about it. */
  #sign(sql: Connection, row: Row): { signature: Uint8Array | undefined; bytes: number } {
    const [, content, parts, ...fields] = row;
    if (parts === null) return { signature: undefined, bytes: 0 };
    let octets: ContentOctets | undefined;
    let bytes = 0;
    try {
      const root = decodeParts(parts);
      bytes = searchTextBytes(root);
      if (bytes > MESSAGE_TEXT_BYTES) return { signature: undefined, bytes: 0 };
      const open = new ContentOctets(sql, this.#spool, content);
      octets = open;
      const read = (from: number, lengthBytes: number): Uint8Array => open.read(from, lengthBytes);
      const take = (text: string): void => this.#maker.add(text);
      eachSearchText(root, { heads: true, overlap: TRIGRAM - 1 }, read, take);
      for (const field of fields) if (field !== null) take(foldText(field));
      return { signature: this.#maker.finish(), bytes };
    } catch (thrown) {
      this.#maker.finish();
      if (isMediumError(thrown)) throw thrown;
      return { signature: undefined, bytes };
    } finally {
      octets?.close();
    }
  }
}
