/** Facts of messages that a query asks for: one statement for each kind and many messages. */

import type { Detail, Message, MessageDetail } from '#store/mail.ts';
import { latin1, letGo } from '#base/bytes.ts';
import type { Connection } from '../connection.ts';

type Found = { -readonly [K in keyof MessageDetail]: MessageDetail[K] };

/** What one statement brings of one message; more is read alone. */
const SMALL_BYTES = 8_192;
const ANY_BYTES = 2 ** 40;
/** Messages whose details one statement reads. */
const CHUNK = 50;
/** Details read at once: of some messages one alone has megabytes. */
const DETAIL_BYTES = 262_144;

/*
 * Octets of all messages come as one value, with the length of each: a value for each of them
 * costs more than all else. json_each gives the numbers one by one in their order.
 */
const ENVELOPE = `SELECT json_group_array(length(envelope)),
  CAST(group_concat(CASE WHEN length(envelope) <= ?2 THEN envelope END, '') AS BLOB)
  FROM json_each(?1) AS asked LEFT JOIN contents ON contents.id = asked.value`;
const STRUCTURE = `SELECT json_group_array(length(body_structure)),
  CAST(group_concat(CASE WHEN length(body_structure) <= ?2 THEN body_structure END, '') AS BLOB)
  FROM json_each(?1) AS asked LEFT JOIN contents ON contents.id = asked.value`;
const PARTS = `SELECT octet_length(parts), CASE WHEN octet_length(parts) <= ?2 THEN parts END
  FROM json_each(?1) AS asked LEFT JOIN contents ON contents.id = asked.value`;
const SEARCH = `SELECT sent_ms, subject, sender, recipient, copied, blind
  FROM json_each(?) AS asked LEFT JOIN contents ON contents.id = asked.value`;

type Packed = readonly [lengths: string, octets: Uint8Array | null];
type SearchColumns = readonly [
  sentMs: number | null,
  subject: string | null,
  from: string,
  to: string,
  cc: string,
  bcc: string,
];

/**
 * The messages with their details, as many from the first one on as have no more of them than is
 * read at once; one at least.
 */
export function withDetails(
  sql: Connection,
  messages: readonly Message[],
  details: readonly Detail[],
): readonly MessageDetail[] {
  const found: Found[] = [];
  let bytes = 0;
  for (let at = 0; at < messages.length && bytes <= DETAIL_BYTES; at += CHUNK) {
    const chunk = new Chunk(sql, messages.slice(at, at + CHUNK), SMALL_BYTES);
    chunk.read(details);
    for (const [index, message] of chunk.messages.entries()) {
      if (chunk.isLarge(index)) {
        // A large one: alone in its answer, or the first of the next.
        if (found.length > 0) return found;
        new Chunk(sql, [message], ANY_BYTES).read(details);
        return [message];
      }
      found.push(message);
    }
    bytes += chunk.bytes;
  }
  return found;
}

/** Messages that are read together. */
class Chunk {
  readonly messages: readonly Found[];
  readonly #sql: Connection;
  readonly #mostBytes: number;
  readonly #ids: string;
  readonly #large = new Set<number>();
  bytes = 0;

  constructor(sql: Connection, messages: readonly Found[], mostBytes: number) {
    this.#sql = sql;
    this.messages = messages;
    this.#mostBytes = mostBytes;
    this.#ids = `[${messages.map(({ content }) => content).join(',')}]`;
  }

  /** Whether some detail of a message was too large to be read. */
  isLarge(index: number): boolean {
    return this.#large.has(index);
  }

  /** What was not asked for is not even looked at. */
  read(details: readonly Detail[]): void {
    for (const detail of details) this.#read(detail);
  }

  #read(detail: Detail): void {
    switch (detail) {
      case 'envelope':
        return this.#octets(ENVELOPE, 'envelope');
      case 'bodyStructure':
        return this.#octets(STRUCTURE, 'bodyStructure');
      case 'parts':
        return this.#parts();
      case 'search':
        return this.#search();
    }
  }

  #octets(statement: string, detail: 'envelope' | 'bodyStructure'): void {
    const row = this.#sql.row<Packed>(statement, this.#ids, this.#mostBytes);
    if (row === undefined) return;
    const lengths = JSON.parse(row[0]) as readonly (number | null)[];
    const octets = row[1] === null ? '' : latin1(row[1]);
    if (row[1] !== null) letGo(row[1]);
    let from = 0;
    for (const [index, found] of this.messages.entries()) {
      const length = lengths[index] ?? null;
      if (length === null) continue;
      if (length > this.#mostBytes) {
        this.#large.add(index);
        continue;
      }
      found[detail] = octets.slice(from, from + length);
      from += length;
    }
    this.bytes += from;
  }

  #parts(): void {
    type Columns = readonly [bytes: number | null, parts: string | null];
    const rows = this.#sql.rows<Columns>(PARTS, this.#ids, this.#mostBytes);
    for (const [index, found] of this.messages.entries()) {
      const [bytes, parts] = rows[index] ?? [null, null];
      if (parts !== null) found.parts = parts;
      else if (bytes !== null) this.#large.add(index);
      this.bytes += parts?.length ?? 0;
    }
  }

  /** As large as a head at most. */
  #search(): void {
    const rows = this.#sql.rows<SearchColumns>(SEARCH, this.#ids);
    for (const [index, found] of this.messages.entries()) {
      const [sentMs, subject, from, to, cc, bcc] = rows[index] ?? [null, null, '', '', '', ''];
      if (subject === null) continue;
      found.search = { sentMs: sentMs ?? undefined, subject, from, to, cc, bcc };
      this.bytes += subject.length + from.length + to.length + cc.length + bcc.length;
    }
  }
}
