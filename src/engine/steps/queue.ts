/** Rows of the queue: one message, its recipients, and the end of both. */

import type { ContentId, QueueId } from '#base/brand.ts';
import type { Relay } from '#store/operations.ts';
import { release } from './references.ts';
import type { ContentWriter } from './content.ts';
import type { Step } from './step.ts';

const MESSAGE = `INSERT INTO queue_messages (id, reverse_path, ret, envelope_id, smtp_utf8, body,
  content, head_bytes, size_bytes, accepted_ms, submitter, tls)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const RECIPIENT = `INSERT INTO queue_recipients (message, number, address, domain, notify,
  original_recipient, next_ms, expires_ms, held, last_answer)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** Puts a message into the queue, its recipients numbered from 1; answers its content. */
export function enqueue(
  step: Step,
  contents: ContentWriter,
  id: QueueId,
  atMs: number,
  relay: Relay,
): ContentId | undefined {
  if (relay.recipients.length === 0) return undefined;
  const { envelope } = relay;
  const content = contents.take(relay.content, undefined);
  const message = step.sql.insert(
    MESSAGE,
    id,
    envelope.reversePath,
    envelope.ret ?? null,
    envelope.envelopeId ?? null,
    envelope.smtpUtf8 ? 1 : 0,
    envelope.body,
    content.id,
    content.headBytes,
    content.sizeBytes,
    atMs,
    relay.submitter ?? null,
    envelope.tls ?? null,
  );
  relay.recipients.forEach((recipient, index) => {
    step.sql.run(
      RECIPIENT,
      message,
      index + 1,
      recipient.address,
      recipient.domain,
      recipient.notify?.join(' ') ?? null,
      recipient.originalRecipient ?? null,
      recipient.nextMs,
      recipient.expiresMs,
      recipient.held === undefined ? 0 : 1,
      recipient.held ?? null,
    );
  });
  return content.id as ContentId;
}

/** The row number of a queued message. */
export function findQueued(step: Step, id: QueueId): number | undefined {
  return step.sql.row<[number]>('SELECT number FROM queue_messages WHERE id = ?', id)?.[0];
}

/** Removes a message that has no recipient left; its content loses a reference. */
export function dequeueIfDone(step: Step, message: number): void {
  const left = step.sql.row('SELECT 1 FROM queue_recipients WHERE message = ? LIMIT 1', message);
  if (left !== undefined) return;
  const content = step.sql.row<[number]>(
    'DELETE FROM queue_messages WHERE number = ? RETURNING content',
    message,
  )?.[0];
  if (content !== undefined) release(step, content, step.nowMs);
}
