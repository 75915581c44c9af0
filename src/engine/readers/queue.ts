/** Reads the queue. */

import type { ContentId, Domain, QueueId } from '#base/brand.ts';
import type {
  DueRecipient,
  Envelope,
  Notify,
  QueuedMessage,
  QueuedRecipient,
  QueueReader,
} from '#store/queue.ts';
import type { Reading } from './reading.ts';

const DUE = `SELECT queue_messages.id, recipients.number, domain, next_ms
  FROM queue_recipients AS recipients
  JOIN queue_messages ON queue_messages.number = recipients.message
  WHERE held = 0 AND next_ms >= ? AND next_ms <= ?
    AND (next_ms, queue_messages.id, recipients.number) > (?, ?, ?)
  ORDER BY next_ms, queue_messages.id, recipients.number LIMIT ? + 0`;
const NEXT = 'SELECT min(next_ms) FROM queue_recipients WHERE held = 0';
/** Message and recipients in one statement, which needs no transaction around it. */
const ONE = `SELECT messages.number, id, reverse_path, ret, envelope_id, smtp_utf8, body, content,
  head_bytes, size_bytes, accepted_ms, submitter, tls, recipients.number, address, domain, notify,
  original_recipient, held, attempts, next_ms, expires_ms, delay_notified, last_answer
  FROM queue_messages AS messages
  LEFT JOIN queue_recipients AS recipients ON recipients.message = messages.number
  WHERE id = ? ORDER BY recipients.number`;
/** Where the columns of the recipient begin. */
const RECIPIENT = 13;
const LIST = `SELECT number, id, reverse_path, ret, envelope_id, smtp_utf8, body, content,
  head_bytes, size_bytes, accepted_ms, submitter, tls FROM queue_messages
  ORDER BY accepted_ms, number LIMIT ? + 0`;
const RECIPIENTS = `SELECT number, address, domain, notify, original_recipient, held, attempts,
  next_ms, expires_ms, delay_notified, last_answer FROM queue_recipients
  WHERE message = ? ORDER BY number`;
const SIZE = `SELECT (SELECT count(*) FROM queue_messages) AS messages,
  (SELECT count(*) FROM queue_recipients) AS recipients`;

/** A place in the order of due rows. */
type DuePlace = Pick<DueRecipient, 'nextMs' | 'id' | 'number'>;

const FIRST: DuePlace = { nextMs: Number.MIN_SAFE_INTEGER, id: '' as QueueId, number: 0 };

type DueColumns = readonly [id: QueueId, number: number, domain: Domain, nextMs: number];

type MessageColumns = readonly [
  number: number,
  id: QueueId,
  reversePath: string,
  ret: Exclude<Envelope['ret'], undefined> | null,
  envelopeId: string | null,
  smtpUtf8: number,
  body: Envelope['body'],
  content: ContentId,
  headBytes: number,
  sizeBytes: number,
  acceptedMs: number,
  submitter: string | null,
  tls: Exclude<Envelope['tls'], undefined> | null,
];

type RecipientColumns = readonly [
  number: number,
  address: string,
  domain: Domain,
  notify: string | null,
  originalRecipient: string | null,
  held: number,
  attempts: number,
  nextMs: number,
  expiresMs: number,
  delayNotified: number,
  lastAnswer: string | null,
];

export class QueueRows implements QueueReader {
  readonly #reading: Reading;

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  due(nowMs: number, limit: number, after: DuePlace = FIRST): readonly DueRecipient[] {
    const { nextMs, id, number } = after;
    return this.#reading.read((sql) =>
      sql
        .rows<DueColumns>(DUE, nextMs, nowMs, nextMs, id, number, limit)
        .map(([id, number, domain, nextMs]) => ({ id, number, domain, nextMs })),
    );
  }

  nextDueMs(): number | undefined {
    return this.#reading.read((sql) => sql.row<[number | null]>(NEXT)?.[0] ?? undefined);
  }

  message(id: QueueId): QueuedMessage | undefined {
    const rows = this.#reading.one((sql) => sql.rows<readonly unknown[]>(ONE, id));
    const [first] = rows;
    if (first === undefined) return undefined;
    const recipients = rows.map((row) => row.slice(RECIPIENT) as unknown as RecipientColumns);
    // A message without recipients is a row of nothing here.
    return messageFrom(
      first as unknown as MessageColumns,
      recipients.filter(([number]) => number !== null),
    );
  }

  list(limit: number): readonly QueuedMessage[] {
    return this.#reading.read((sql) =>
      sql
        .rows<MessageColumns>(LIST, limit)
        .map((row) => messageFrom(row, sql.rows<RecipientColumns>(RECIPIENTS, row[0]))),
    );
  }

  size(): { readonly messages: number; readonly recipients: number } {
    return this.#reading.read((sql) => {
      const [messages, recipients] = sql.row<[number, number]>(SIZE) ?? [0, 0];
      return { messages, recipients };
    });
  }
}

function messageFrom(row: MessageColumns, recipients: readonly RecipientColumns[]): QueuedMessage {
  const [, id, reversePath, ret, envelopeId, smtpUtf8, body] = row;
  return {
    id,
    envelope: {
      reversePath,
      ret: ret ?? undefined,
      envelopeId: envelopeId ?? undefined,
      smtpUtf8: smtpUtf8 === 1,
      body,
      ...(row[12] === null ? {} : { tls: row[12] }),
    },
    content: row[7],
    headBytes: row[8],
    sizeBytes: row[9],
    acceptedMs: row[10],
    submitter: row[11] ?? undefined,
    recipients: recipients.map(recipientFrom),
  };
}

function recipientFrom(row: RecipientColumns): QueuedRecipient {
  return {
    number: row[0],
    address: row[1],
    domain: row[2],
    notify: row[3] === null ? undefined : notifyFrom(row[3]),
    originalRecipient: row[4] ?? undefined,
    state: row[5] === 1 ? 'held' : 'waiting',
    attempts: row[6],
    nextMs: row[7],
    expiresMs: row[8],
    delayNotified: row[9] === 1,
    lastAnswer: row[10] ?? undefined,
  };
}

/** The empty text is NEVER. */
function notifyFrom(text: string): Notify {
  return text === '' ? [] : (text.split(' ') as unknown as Notify);
}
