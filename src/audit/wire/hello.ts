/** The way into an SMTP session, as far as a server lets one: greeting, EHLO, STARTTLS, EHLO. */

import type { Dialled } from './dial.ts';
import type { Exchange } from './exchange.ts';
import { GREETING_MS } from './limits.ts';
import { ask, keywordsOf, readReply, replyText, type SmtpReply } from './smtp.ts';
import { isLost, lossText, type Wire } from './wire.ts';

export interface HelloOptions {
  /** Our name in EHLO. */
  readonly name: string;
  /** `offered`: STARTTLS where it is offered, going on in clear elsewhere. Default `none`. */
  readonly tls?: 'none' | 'offered' | 'starttls';
  /** For SNI where STARTTLS is asked for; default the target's address. */
  readonly serverName?: string;
  /** LHLO instead (RFC 2033). */
  readonly lmtp?: boolean;
  /** For each reply. Default 10,000. */
  readonly replyMs?: number;
  /** What a probe wants said before anything else, on any stream (PROXY headers). */
  readonly prologue?: Uint8Array;
}

/** A session behind EHLO, or where and why it ended. */
export type Hello =
  | {
      readonly kind: 'ready';
      readonly wire: Wire;
      readonly greeting: SmtpReply;
      readonly ehlo: SmtpReply;
      readonly keywords: ReadonlyMap<string, string>;
    }
  | {
      readonly kind: 'failed';
      readonly step: 'connect' | 'greeting' | 'ehlo' | 'starttls';
      readonly why: string;
      /** What the server said, if it said no. */
      readonly reply: SmtpReply | undefined;
      readonly exchange: Exchange;
    };

type Step = Extract<Hello, { kind: 'failed' }>['step'];

const REPLY_MS = 10_000;

/** Says hello on what was dialled; EHLO refused is tried again as HELO (RFC 5321 3.2). */
export async function sayHello(dialled: Dialled, options: HelloOptions): Promise<Hello> {
  if (dialled.kind !== 'open') {
    const { why, exchange } = dialled;
    return { kind: 'failed', step: 'connect', why, reply: undefined, exchange };
  }
  const { wire } = dialled;
  const { tls = 'none', serverName = wire.target.address, replyMs = REPLY_MS } = options;
  if (options.prologue !== undefined) wire.send(options.prologue);
  const greeting = await readReply(wire, Math.max(replyMs, GREETING_MS));
  if (isLost(greeting)) return ended(wire, 'greeting', lossText(greeting));
  if (greeting.code !== 220) return ended(wire, 'greeting', replyText(greeting), greeting);
  const first = await helloOn(wire, options, replyMs);
  if (first.kind !== 'reply') return first;
  const offered = keywordsOf(first).has('STARTTLS');
  if (tls !== 'starttls' && !(tls === 'offered' && offered)) return ready(wire, greeting, first);
  const agreed = await ask(wire, 'STARTTLS', replyMs);
  if (isLost(agreed)) return ended(wire, 'starttls', lossText(agreed));
  if (agreed.code !== 220) return ended(wire, 'starttls', replyText(agreed), agreed);
  const secured = await wire.startTls(serverName, replyMs);
  if (secured.kind !== 'secure') return ended(wire, 'starttls', secured.why);
  const second = await helloOn(wire, options, replyMs);
  return second.kind === 'reply' ? ready(wire, greeting, second) : second;
}

async function helloOn(
  wire: Wire,
  options: HelloOptions,
  replyMs: number,
): Promise<SmtpReply | Extract<Hello, { kind: 'failed' }>> {
  // Behind a prologue a refusal may be meant for that: a second verb would read the wrong reply.
  const single = options.lmtp === true ? ['LHLO'] : ['EHLO'];
  const alone = options.lmtp === true || options.prologue !== undefined;
  const verbs = alone ? single : ['EHLO', 'HELO'];
  let last: SmtpReply | undefined;
  for (const verb of verbs) {
    const reply = await ask(wire, `${verb} ${options.name}`, replyMs);
    if (isLost(reply)) return ended(wire, 'ehlo', lossText(reply));
    if (reply.code === 250) return reply;
    last = reply;
  }
  return ended(wire, 'ehlo', last === undefined ? '' : replyText(last), last);
}

function ready(wire: Wire, greeting: SmtpReply, ehlo: SmtpReply): Hello {
  return { kind: 'ready', wire, greeting, ehlo, keywords: keywordsOf(ehlo) };
}

function ended(
  wire: Wire,
  step: Step,
  why: string,
  reply?: SmtpReply,
): Extract<Hello, { kind: 'failed' }> {
  wire.close();
  return { kind: 'failed', step, why, reply, exchange: wire.exchange };
}
