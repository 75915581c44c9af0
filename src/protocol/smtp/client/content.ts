/** The content of a message on its way out: DATA with dots doubled, or BDAT in chunks. */

import type { Awaitable } from '#base/brand.ts';
import { concat, fromLatin1, utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import type { Reply } from '../reply.ts';
import type { Dialogue } from './dialogue.ts';
import type { SmtpSession } from './session.ts';
import { WireText } from './wire-text.ts';

export type ContentSent =
  /** All of it went out; the final answer, or answers, are to be read. */
  | { readonly kind: 'sent' }
  /** `inStep`: the dialogue may go on with a new transaction. */
  | { readonly kind: 'refused'; readonly reply: Reply; readonly inStep: boolean }
  /** `whole`: the end had gone out, so the message may have arrived. */
  | { readonly kind: 'lost'; readonly failure: Failure; readonly whole: boolean };

export interface Content {
  readonly envelope: { readonly body: '7bit' | '8bitmime' | 'binarymime' };
  readonly sizeBytes: number;
  readonly read: (from: number, lengthBytes: number) => Awaitable<Uint8Array>;
}

/** The line that ends DATA. */
export const END_OF_CONTENT: Uint8Array = fromLatin1('.\r\n');

const PIECE_BYTES = 65_536;

/**
 * Sends the content after RCPT. BDAT where CHUNKING is offered, since counted octets leave
 * nothing to smuggle with (RFC 3030 2); else DATA. Content with 8-bit octets goes out as it is
 * to a server without 8BITMIME: such servers pass it on unharmed, and a bounce helps nobody
 * (RFC 6152 3 would have it converted, which breaks signatures). `go`: the answer to DATA, if that
 * was sent already. Fails as the dialogue does, and as `read` does.
 */
export async function sendContent(
  session: SmtpSession,
  content: Content,
  go?: Reply,
): Promise<ContentSent> {
  const deadlineMs = session.timeouts.contentMs;
  const late = `the server took more than ${deadlineMs} ms for the message`;
  const timer = session.dialogue.expire(deadlineMs, late);
  try {
    return session.capabilities.keywords.has('CHUNKING')
      ? await sendChunks(session, content)
      : await sendData(session, content, go);
  } finally {
    timer.cancel();
  }
}

async function sendData(
  session: SmtpSession,
  content: Content,
  answered?: Reply,
): Promise<ContentSent> {
  const { dialogue, timeouts } = session;
  const go = answered ?? (await dialogue.command('DATA', timeouts.dataMs));
  if (go.code !== 354) {
    // In a pipeline, a reply too many would make one to RCPT look like this one.
    if (dialogue.unread) throw dialogue.broken('more replies than commands');
    return { kind: 'refused', reply: go, inStep: go.code !== 421 };
  }
  const wire = new WireText(true);
  dialogue.transcript.note(`${content.sizeBytes} octets of content`);
  for (let from = 0, last = false; !last;) {
    const piece = await readPiece(content, dialogue, from);
    from += piece.length;
    last = isLast(content, piece, from);
    const out = wire.push(piece);
    const bytes = last ? concat([out, wire.finish(), END_OF_CONTENT]) : out;
    const lost = await written(dialogue, bytes, timeouts.blockMs, last);
    if (lost !== undefined) return lost;
  }
  return { kind: 'sent' };
}

async function sendChunks(session: SmtpSession, content: Content): Promise<ContentSent> {
  const { dialogue, timeouts } = session;
  const wire = content.envelope.body === 'binarymime' ? undefined : new WireText(false);
  for (let from = 0, last = false; !last;) {
    const piece = await readPiece(content, dialogue, from);
    from += piece.length;
    last = isLast(content, piece, from);
    const text = wire?.push(piece) ?? piece;
    const bytes = last && wire !== undefined ? concat([text, wire.finish()]) : text;
    if (bytes.length === 0 && !last) continue;
    if (dialogue.unread) throw dialogue.broken('a reply that nobody asked for');
    const command = `BDAT ${bytes.length}${last ? ' LAST' : ''}`;
    dialogue.transcript.client(command);
    const chunk = concat([utf8(`${command}\r\n`), bytes]);
    const lost = await written(dialogue, chunk, timeouts.blockMs, last);
    if (lost !== undefined) return lost;
    if (last) return { kind: 'sent' };
    const reply = await dialogue.reply(timeouts.blockMs, 'answer to BDAT');
    if (reply.code >= 400) return { kind: 'refused', reply, inStep: reply.code !== 421 };
    if (reply.code >= 300) throw dialogue.broken(`${reply.code} to BDAT`);
  }
  return { kind: 'sent' };
}

/**
 * Writes a piece. An answer that comes before the end is the last word: the rest is not sent,
 * and since the server may still be reading, the connection is of no more use.
 */
async function written(
  dialogue: Dialogue,
  bytes: Uint8Array,
  blockMs: number,
  last: boolean,
): Promise<ContentSent | undefined> {
  if (dialogue.unread) return tooEarly(dialogue, blockMs);
  const { failure } = dialogue;
  // Nothing is written any more: the end of the message did not go out.
  if (failure !== undefined) return { kind: 'lost', failure, whole: false };
  try {
    await dialogue.write(bytes, blockMs);
    return undefined;
  } catch (thrown) {
    if (dialogue.unread) return tooEarly(dialogue, blockMs);
    return { kind: 'lost', failure: Failure.from(thrown), whole: last };
  }
}

async function tooEarly(dialogue: Dialogue, blockMs: number): Promise<ContentSent> {
  try {
    const reply = await dialogue.reply(blockMs);
    if (reply.code >= 400) return { kind: 'refused', reply, inStep: false };
    const failure = dialogue.broken(`${reply.code} before the end of the message`);
    return { kind: 'lost', failure, whole: false };
  } catch (thrown) {
    return { kind: 'lost', failure: Failure.from(thrown), whole: false };
  } finally {
    dialogue.destroy();
  }
}

/** A piece of the content; a reader that fails ends the connection. */
async function readPiece(content: Content, dialogue: Dialogue, from: number): Promise<Uint8Array> {
  try {
    return await content.read(from, PIECE_BYTES);
  } catch (thrown) {
    // The server must not take what was sent so far for a message.
    dialogue.destroy();
    throw Failure.from(thrown);
  }
}

/** Whether the piece that ends at `end` is the last one. */
function isLast({ sizeBytes }: Content, piece: Uint8Array, end: number): boolean {
  return piece.length < PIECE_BYTES || end >= sizeBytes;
}
