/** What must be known before sequences are tried: an envelope, and how a genuine end is answered. */

import { findEnvelope } from '../../content/envelope.ts';
import type { ServiceContext } from '../../probe.ts';
import { ask, readReply, replyText } from '../../wire/smtp.ts';
import { isLost, lossText } from '../../wire/wire.ts';
import { type Ground, openContent } from './trial.ts';

export type Preparation =
  | { readonly kind: 'ready'; readonly ground: Ground }
  /** `closed`: nothing from strangers is taken here, so there is nothing to smuggle into. */
  | { readonly kind: 'closed' | 'unclear'; readonly why: string };

/** Content without an end must be answered by nothing, a genuine end at once, and NOOP after it. */
export async function prepare(context: ServiceContext): Promise<Preparation> {
  const search = await findEnvelope(context);
  if (search.kind === 'none') {
    return { kind: search.how === 'deferred' ? 'unclear' : 'closed', why: search.why };
  }
  const { envelope } = search;
  const [way = 'clear'] = envelope.ways;
  const { replyMs } = context.options;
  const wire = await openContent({ context, envelope }, way);
  try {
    const early = await readReply(wire, 60);
    if (!isLost(early) || early.kind !== 'timeout') {
      const what = isLost(early) ? lossText(early) : replyText(early);
      return { kind: 'unclear', why: `content is interrupted: "${what}"` };
    }
    wire.send('.\r\n');
    const reference = await readReply(wire, Math.max(replyMs, 5_000));
    if (isLost(reference)) {
      return { kind: 'unclear', why: `the end of data gets ${lossText(reference)}` };
    }
    const next = await ask(wire, 'NOOP', replyMs);
    if (isLost(next)) {
      const said = `${replyText(reference)}, then ${lossText(next)}`;
      return { kind: 'unclear', why: `the session ends with the message: ${said}` };
    }
    const refusesLoops = reference.code >= 500;
    const isFar = replyMs > 5_000;
    // Slow answers are found again by the genuine end behind each sequence; where that would
    // deliver mail, there is only the window.
    const least = refusesLoops && !isFar ? 120 : 500;
    const windowMs = Math.min(Math.max(least, reference.ms * 4 + 60), isFar ? 2_000 : 500);
    const pipelining = context.service.capabilities.some((line) => /^PIPELINING\b/i.test(line));
    const ground = { context, envelope, reference, refusesLoops, pipelining, windowMs };
    return { kind: 'ready', ground };
  } finally {
    wire.close();
  }
}
