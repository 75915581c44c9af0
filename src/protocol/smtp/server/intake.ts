/** The course of content: from the reply that asks for it to the reply that answers for it. */

import { invariant } from '#base/failure.ts';
import { type Reply, reply } from '../reply.ts';
import type { Outcome } from './command.ts';
import type { Conversation } from './conversation.ts';
import { type Flow, contentReplies, judgeEnd, takeContent } from './flow.ts';
import type { SmtpAnswer } from './questions.ts';

type Begin = Outcome & { readonly kind: 'content' };

/** Content follows; `command` is what asked for it, for the record. */
export function beginContent(conv: Conversation, outcome: Begin, command: string): void {
  const { content, refusal } = outcome;
  const lmtp = conv.settings.mode === 'lmtp';
  conv.flow = {
    content,
    command: content.remaining === undefined ? '.' : command,
    refusal,
    mistake: outcome.mistake === true,
    replies: lmtp && content.last ? (conv.state.transaction?.recipients.length ?? 1) : 1,
    closing: false,
    ended: content.remaining === 0,
    discarded: 0,
    fresh: 0,
    doubtful: false,
    wrong: undefined,
  };
  tooFar(conv, conv.flow);
  contentTaken(conv);
}

/** Content octets, if there are any: whether to go on. */
export function readContent(conv: Conversation, flow: Flow): boolean {
  if (conv.input.buffered === 0) return false;
  const { bytes, lines } = takeContent(flow, conv.input, conv.state);
  if (flow.fresh >= conv.settings.limits.dataProgressBytes) conv.rearm = true;
  if (bytes.length > 0) {
    conv.waiting = { kind: 'body' };
    conv.out.push({ kind: 'body', bytes, lines });
  } else {
    contentTaken(conv);
  }
  return true;
}

/** After octets were taken: is the message wrong, or over? */
export function contentTaken(conv: Conversation): void {
  const flow = conv.flow;
  if (flow === undefined) return;
  judgeEnd(flow);
  if (flow.wrong !== undefined && flow.refusal === undefined) {
    conv.violation(flow.wrong.what);
    flow.closing = flow.wrong.closing;
    refuseContent(conv, flow.wrong.reply);
  }
  if (tooFar(conv, flow) || !flow.ended) return;
  conv.flow = undefined;
  conv.rearm = true;
  if (flow.refusal !== undefined) {
    sayRefused(conv, flow, flow.refusal);
  } else if (flow.content.last) {
    conv.ask({ kind: 'content-end' }, { kind: 'content-end' });
  } else {
    conv.out.reply(flow.command, reply(250, '2.0.0', 'Octets received'));
  }
}

export function refuseContent(conv: Conversation, refusal: Reply): void {
  if (conv.flow === undefined) return;
  conv.flow.refusal ??= refusal;
  conv.state.drop();
}

/** More is announced or was thrown away than we care to read: the refusal, and the end. */
function tooFar(conv: Conversation, flow: Flow): boolean {
  const { excessBytes } = conv.settings.limits;
  if (flow.refusal === undefined || flow.ended) return false;
  if (flow.discarded + (flow.content.remaining ?? 0) <= excessBytes) return false;
  conv.close(flow.refusal, flow.command, flow.replies);
  return true;
}

function sayRefused(conv: Conversation, flow: Flow, refusal: Reply): void {
  if (flow.closing) {
    conv.close(refusal, flow.command, flow.replies);
  } else if (flow.mistake) {
    conv.mistake(flow.command, refusal);
  } else {
    for (let count = 0; count < flow.replies; count++) conv.out.reply(flow.command, refusal);
  }
}

/** The host has decided about the message: the only place where a 250 to content is said. */
export function decided(conv: Conversation, answer: SmtpAnswer): void {
  invariant(answer.kind === 'accepted' || answer.kind === 'refuse', 'content is taken or not');
  for (const one of contentReplies(answer, conv.state)) conv.out.reply('.', one);
  conv.state.finish();
  if (answer.kind === 'accepted') conv.useful();
  else if (answer.close === true) conv.close(undefined);
}
