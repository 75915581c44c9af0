/** Facts of messages that a query asks for: one statement for each kind and many messages. */

import type { Detail, Message, MessageDetail } from '#store/mail.ts';
import { checkNumber } from '../checks.ts';
import type { Connection, Value } from '../connection.ts';
import { inlineOctets } from './octets.ts';

type Found = { -readonly [K in keyof MessageDetail]: MessageDetail[K] };

/** The first column of `sql` says how many octets there are: those above ?2 are not in the row. */
interface Kind {
  readonly sql: string;
  /** Puts what a row has into its message; `row` has the columns after the first. */
  put(found: Found, row: readonly Value[], sql: Connection): void;
}

/** What one statement brings of one message; more is read alone. */
const SMALL_BYTES = 8_192;
const ANY_BYTES = 2 ** 40;
/** Heads above this are left to whoever reads octets. */
const HEAD_BYTES = 32_768;
/** Messages whose details one statement reads. */
const CHUNK = 50;
/** Details read at once: of some messages one alone has megabytes. */
const DETAIL_BYTES = 262_144;

const KINDS: Readonly<Record<Detail, Kind>> = {
  envelope: {
    sql: `SELECT length(envelope), CASE WHEN length(envelope) <= ?2 THEN envelope END
      FROM json_each(?1) AS asked LEFT JOIN contents ON contents.id = asked.value`,
    put(found, [envelope]) {
      if (envelope instanceof Uint8Array) found.envelope = envelope;
    },
  },
  bodyStructure: {
    sql: `SELECT length(body_structure), CASE WHEN length(body_structure) <= ?2
      THEN body_structure END
      FROM json_each(?1) AS asked LEFT JOIN contents ON contents.id = asked.value`,
    put(found, [structure]) {
      if (structure instanceof Uint8Array) found.bodyStructure = structure;
    },
  },
  parts: {
    sql: `SELECT octet_length(parts), CASE WHEN octet_length(parts) <= ?2 THEN parts END
      FROM json_each(?1) AS asked LEFT JOIN contents ON contents.id = asked.value`,
    put(found, [parts]) {
      if (typeof parts === 'string') found.parts = parts;
    },
  },
  // As large as a head at most: no need to ask first.
  search: {
    sql: `SELECT ?2 * 0, sent_ms, subject, sender, recipient, copied, blind
      FROM json_each(?1) AS asked LEFT JOIN contents ON contents.id = asked.value`,
    put(found, [sentMs, ...texts]) {
      const [subject, from, to, cc, bcc] = texts;
      if (typeof subject !== 'string') return;
      found.search = {
        sentMs: typeof sentMs === 'number' ? sentMs : undefined,
        subject,
        from: String(from),
        to: String(to),
        cc: String(cc),
        bcc: String(bcc),
      };
    },
  },
  head: {
    sql: `SELECT min(head_bytes, ?3), CASE WHEN head_bytes <= min(?2, ?3) THEN head END, head_checked
      FROM json_each(?1) AS asked LEFT JOIN contents ON contents.id = asked.value`,
    put(found, [head, checked], sql) {
      if (!(head instanceof Uint8Array)) return;
      const right = checked === null ? wholeHead(sql, found) : head;
      // Damaged ones are left away: whoever reads the octets is then told.
      if (right !== undefined && (checked === null || checkNumber(head) === checked)) {
        found.head = right;
      }
    },
  },
};

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
    const chunk: Found[] = messages.slice(at, at + CHUNK);
    const sizes = readChunk(sql, chunk, details, SMALL_BYTES);
    for (const [index, message] of chunk.entries()) {
      const size = sizes[index];
      if (size === undefined || size.largest > SMALL_BYTES) {
        // A large one: alone in its answer, or the first of the next.
        if (found.length > 0) return found;
        readChunk(sql, [message], details, ANY_BYTES);
        return [message];
      }
      found.push(message);
      bytes += size.all;
    }
  }
  return found;
}

interface Size {
  largest: number;
  all: number;
}

/** The rows come in the order of the numbers, one for each. */
function readChunk(
  sql: Connection,
  chunk: readonly Found[],
  details: readonly Detail[],
  mostBytes: number,
): readonly Size[] {
  const ids = `[${chunk.map(({ content }) => content).join(',')}]`;
  const sizes = chunk.map((): Size => ({ largest: 0, all: 0 }));
  for (const detail of details) {
    const kind = KINDS[detail];
    const values = detail === 'head' ? [ids, mostBytes, HEAD_BYTES] : [ids, mostBytes];
    const rows = sql.rows<readonly [number | null, ...Value[]]>(kind.sql, ...values);
    for (const [index, [length, ...row]] of rows.entries()) {
      const message = chunk[index];
      const size = sizes[index];
      if (message === undefined || size === undefined) continue;
      kind.put(message, row, sql);
      size.largest = Math.max(size.largest, length ?? 0);
      size.all += length ?? 0;
    }
  }
  return sizes;
}

/** The head of a content from before heads had a number of their own. */
function wholeHead(sql: Connection, message: Message): Uint8Array | undefined {
  try {
    return inlineOctets(sql, message.content).inline.subarray(0, message.headBytes);
  } catch {
    return undefined;
  }
}
