/** Content on its way through the machine: taken, measured, judged, or thrown away. */

import { cutOut, NO_BYTES, type PlainLines } from '#base/bytes.ts';
import { INLINE_BYTES } from '#base/limits.ts';
import type { LineReader } from '../../lines.ts';
import { type Reply, reply } from '../reply.ts';
import { type Content, type ContentFault, joined } from './content.ts';
import type { SmtpAnswer } from './questions.ts';
import { replies } from './replies.ts';
import type { SmtpState } from './session.ts';

/** One run of content, from the command that began it to its reply. */
export interface Flow {
  readonly content: Content;
  /** For the record. */
  readonly command: string;
  /** Set: the octets are thrown away, and this is said at the end. */
  refusal: Reply | undefined;
  readonly mistake: boolean;
  /** How often the refusal is said: LMTP owes one reply a recipient (RFC 2033 4.2). */
  readonly replies: number;
  /** Close after the refusal: where the content ended is a matter of opinion. */
  closing: boolean;
  ended: boolean;
  discarded: number;
  /** Octets since the last deadline. */
  fresh: number;
  doubtful: boolean;
  wrong: Wrong | undefined;
}

export interface Wrong {
  readonly what: ContentFault | 'too-large';
  readonly reply: Reply;
  readonly closing: boolean;
}

const FAULTS: Readonly<Record<ContentFault, Reply>> = {
  'bare-cr': replies.contentBareCr,
  'bare-lf': replies.contentBareLf,
  nul: replies.contentNul,
  'line-too-long': replies.contentLine,
};

/** Octets of the message, and what is known of them. */
export interface Portion {
  readonly bytes: Uint8Array;
  readonly lines?: PlainLines | undefined;
}

/** Takes what is there of the content; returns the message's octets up to the first fault. */
export function takeContent(flow: Flow, input: LineReader, state: SmtpState): Portion {
  const bytes = input.rest();
  const { messageBytes, excessBytes } = state.settings.limits;
  if (flow.refusal !== undefined) {
    const most = excessBytes - flow.discarded + 1;
    const { used, done, doubtful } = flow.content.discard(
      bytes.length > most ? bytes.subarray(0, most) : bytes,
    );
    input.use(used);
    flow.discarded += used;
    flow.fresh += used;
    flow.ended = done;
    flow.doubtful = doubtful;
    return { bytes: NO_BYTES };
  }
  const { transaction } = state;
  const room = messageBytes === 0 ? Infinity : messageBytes - (transaction?.octets ?? 0);
  // One octet more than fits is enough to know: what is behind it is thrown away and counted.
  const taken = flow.content.take(bytes.length > room ? bytes.subarray(0, room + 1) : bytes);
  input.use(taken.used);
  flow.fresh += taken.used;
  flow.ended = taken.done;
  const body = joined(taken.pieces);
  const fits = body.length <= room;
  if (!fits) flow.wrong = { what: 'too-large', reply: replies.tooLarge, closing: false };
  else if (taken.fault !== undefined) flow.wrong = wrongBy(taken.fault, flow.content);
  const before = transaction?.octets ?? 0;
  // Of a large message, and nothing behind it is left to read: it needs none of the memory around it.
  const isAlone = before > INLINE_BYTES && taken.pieces.length === 1 && input.buffered === 0;
  const from = body.byteOffset - bytes.byteOffset;
  const whole = isAlone && fits ? cutOut(bytes, from, from + body.length) : body;
  const mine = fits ? whole : body.subarray(0, room);
  if (transaction !== undefined) transaction.octets += mine.length;
  return { bytes: mine, lines: fits ? taken.lines : undefined };
}

/** A fault that shows only when everything is there. */
export function judgeEnd(flow: Flow): void {
  if (!flow.ended || flow.wrong !== undefined || flow.refusal !== undefined) return;
  const fault = flow.content.finalFault();
  if (fault !== undefined) flow.wrong = wrongBy(fault, flow.content);
}

/** What is said after the content: in LMTP once for each recipient, in order. */
export function contentReplies(
  answer: SmtpAnswer & { kind: 'accepted' | 'refuse' },
  state: SmtpState,
): readonly Reply[] {
  const one =
    answer.kind === 'refuse' ? answer.reply : reply(250, '2.0.0', `Accepted as ${answer.id}`);
  if (state.mode !== 'lmtp') return [one];
  const count = state.transaction?.recipients.length ?? 1;
  const each = answer.kind === 'accepted' ? (answer.perRecipient ?? []) : [];
  return Array.from({ length: count }, (_, index) => each[index] ?? one);
}

/** After DATA, two servers may disagree about where bare line ends ended it; BDAT is exact. */
function wrongBy(fault: ContentFault, content: Content): Wrong {
  const marked = content.remaining === undefined;
  const closing = marked && (fault === 'bare-cr' || fault === 'bare-lf');
  return { what: fault, reply: FAULTS[fault], closing };
}
