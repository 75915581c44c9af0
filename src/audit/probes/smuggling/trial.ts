/** One sequence tried: content, the sequence, perhaps commands behind it, and what the server says. */

import { Failure } from '#base/failure.ts';
import { type Envelope, type Way, withEnvelope } from '../../content/envelope.ts';
import { letter, LOOP_HOPS } from '../../content/letter.ts';
import type { Exchange } from '../../finding.ts';
import type { ServiceContext } from '../../probe.ts';
import { smtpSignature } from '../../users/signature.ts';
import { ask, readReply, replyText, type SmtpReply } from '../../wire/smtp.ts';
import { isLost, type Lost, lossText, type Wire } from '../../wire/wire.ts';
import type { Ending } from './sequences.ts';

export type Writes = 'whole' | 'apart' | 'octets';

/** How a sequence travels. */
export interface Manner {
  readonly way: Way;
  readonly writes: Writes;
  /** Commands stand behind it, as a smuggler would have them. */
  readonly commands: boolean;
}

/** What all trials at a service have in common. */
export interface Ground {
  readonly context: ServiceContext;
  readonly envelope: Envelope;
  /** The answer to a genuine end of data. */
  readonly reference: SmtpReply;
  /** It refuses what goes in circles: no test is delivered. */
  readonly refusesLoops: boolean;
  /** It offers PIPELINING (RFC 2920): what follows may come before an answer. */
  readonly pipelining: boolean;
  /** How long an answer is waited for. */
  readonly windowMs: number;
}

/**
 * `content`: taken for text. `executed`: the message ended and commands behind it were run.
 * `ended`: it ended and nothing behind it was run. `refused`: an error or the end of the session.
 */
export interface Heard {
  readonly kind: 'content' | 'executed' | 'ended' | 'refused';
  readonly text: string;
}

export interface Trial extends Heard {
  readonly exchange: Exchange;
}

/** The time between writes that go out apart. */
const GAP_MS = 4;

/** Up to where content is expected; the letter stands in it already. */
export async function openContent(
  ground: Pick<Ground, 'context' | 'envelope'>,
  way: Way,
): Promise<Wire> {
  const { context, envelope } = ground;
  const session = await withEnvelope(context, envelope, way);
  const data = await session.ask('DATA');
  if (data.code !== 354) {
    throw Failure.temporary('no-session', `DATA is answered with "${replyText(data)}"`);
  }
  const { text: to } = envelope.recipient;
  session.wire.send(letter({ token: context.token(), hops: LOOP_HOPS, to }));
  return session.wire;
}

/** One sequence in a transaction of its own. */
export async function tryEnding(ground: Ground, manner: Manner, ending: Ending): Promise<Trial> {
  const wire = await openContent(ground, manner.way);
  try {
    const heard = await offer(wire, ground, manner, ending, ground.windowMs);
    if (heard.kind !== 'content') return { ...heard, exchange: wire.exchange };
    // Who answers slowly answers now: an end that was taken for one shows as a second reply.
    const late = ending.eof ? heard : await finish(wire, ground);
    return { ...late, exchange: wire.exchange };
  } finally {
    wire.close();
  }
}

/** Sends the sequence behind a line of text and listens. */
export async function offer(
  wire: Wire,
  ground: Ground,
  { writes, commands }: Manner,
  { prefix, suffix, eof }: Ending,
  windowMs: number,
): Promise<Heard> {
  const tail = commands && !eof ? commandsBehind(ground) : '';
  const parts = ['x', prefix, '.', suffix, tail];
  if (writes === 'whole') wire.send(parts.join(''));
  else if (writes === 'apart' && tail !== '' && !ground.pipelining) {
    await wire.sendApart([`x${prefix}.`, suffix], GAP_MS);
    const first = await readReply(wire, windowMs);
    if (!isLost(first)) wire.send(tail);
    return judge(wire, ground, windowMs, first);
  } else if (writes === 'apart') {
    await wire.sendApart([`x${prefix}.`, suffix, tail].filter(Boolean), GAP_MS);
  } else {
    wire.send('x');
    // Each octet a write of its own; TLS makes records of them.
    for (const octet of `${prefix}.${suffix}${tail.slice(0, 6)}`) await wire.sendApart([octet], 0);
    wire.send(tail.slice(6));
  }
  if (eof) wire.finish();
  return judge(wire, ground, windowMs, await readReply(wire, windowMs));
}

/** Reads what came: its kind follows from what is run behind the first answer. */
async function judge(
  wire: Wire,
  ground: Ground,
  windowMs: number,
  first: SmtpReply | Lost,
): Promise<Heard> {
  if (isLost(first)) {
    const kind = first.kind === 'timeout' ? 'content' : 'refused';
    return { kind, text: lossText(first) };
  }
  const said = [replyText(first)];
  for (let count = 0; count < 3; count += 1) {
    const next = await readReply(wire, Math.min(windowMs, 250));
    if (isLost(next)) break;
    said.push(replyText(next));
    // A 2xx to what stands behind: it was a command.
    if (next.code >= 200 && next.code < 300 && next.code !== 221) {
      return { kind: 'executed', text: said.join(' | ') };
    }
  }
  const text = said.join(' | ');
  if (!sameAnswer(first, ground.reference)) return { kind: 'refused', text };
  if (wire.over) return { kind: 'ended', text };
  // Still reading content: it was an error before the end, no end.
  const alive = await ask(wire, 'NOOP', windowMs);
  const isEnd = !isLost(alive) || alive.kind !== 'timeout';
  return { kind: isEnd ? 'ended' : 'refused', text };
}

/** The genuine end: one answer is due. */
export async function finish(wire: Wire, ground: Ground): Promise<Heard> {
  // Nobody who does not count hops shall get a message by it.
  if (!ground.refusesLoops) return { kind: 'content', text: 'no answer' };
  wire.send('\r\n.\r\n');
  const first = await readReply(wire, ground.context.options.replyMs);
  if (isLost(first)) return { kind: 'refused', text: lossText(first) };
  // Held back once, the next answer may be held back too.
  const second = await readReply(wire, first.ms > ground.windowMs ? 1_500 : 20);
  const text = replyText(first);
  if (isLost(second)) return { kind: 'content', text };
  const both = `${text} | ${replyText(second)}`;
  return { kind: sameAnswer(first, ground.reference) ? 'executed' : 'refused', text: both };
}

/** Whether two answers say the same, queue ids left out. */
function sameAnswer(a: SmtpReply, b: SmtpReply): boolean {
  if (a.code >= 200 && a.code < 300) return b.code >= 200 && b.code < 300;
  return smtpSignature(a, '').key === smtpSignature(b, '').key;
}

function commandsBehind({ context }: Ground): string {
  return `NOOP\r\nMAIL FROM:<smuggled@${context.token(6)}.invalid>\r\n`;
}
