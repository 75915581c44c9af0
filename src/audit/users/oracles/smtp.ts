/** What VRFY, EXPN and RCPT have in common: a session behind EHLO, and where a server stops. */

import { quoteLocalPart } from '#base/address.ts';
import { sayHello } from '../../wire/hello.ts';
import { readReply, replyText, type SmtpReply } from '../../wire/smtp.ts';
import { isLost, lossText, type Lost, type Wire } from '../../wire/wire.ts';
import type { Asked, Asking, Opened, OracleSession } from '../oracle.ts';
import { slowFor } from '../pace.ts';
import { isLimit, smtpSignature, type Answer } from '../signature.ts';

const QUIT_MS = 250;
/** So many times what the last answer took. */
const PATIENCE = 2.5;

/** Opens a session in clear (what counts is the answer) and lets `make` build on it. */
export async function openSmtp(
  asking: Asking,
  make: (wire: Wire, keywords: ReadonlyMap<string, string>) => Promise<OracleSession | string>,
  tls: 'none' | 'offered' = 'none',
): Promise<Opened> {
  const { heloName: name, serverName, replyMs, underTls = false } = asking;
  const way = underTls ? 'offered' : tls;
  const hello = await sayHello(await asking.dial(), { name, serverName, replyMs, tls: way });
  if (hello.kind !== 'ready') {
    const why = `${hello.step}: ${hello.why}`;
    return { kind: 'failed', why, exchange: hello.exchange };
  }
  const { wire, keywords } = hello;
  const session = await make(wire, keywords);
  if (typeof session !== 'string') return { kind: 'session', session };
  await leave(wire);
  return { kind: 'unsupported', why: session, exchange: wire.exchange };
}

/**
 * A polite end, waited for: else the server has more of us at once than we mean to be. `said`: QUIT
 * went along with the last questions (RFC 2920 3.1: the last of a group).
 */
export async function leave(wire: Wire, said = false): Promise<void> {
  if (!said) wire.line('QUIT');
  if (!wire.over) await readReply(wire, QUIT_MS);
  wire.close();
}

/** Collects answers until the server reaches a limit, or holds so much back that others ask. */
export class Collected {
  readonly answers: Answer[] = [];
  stopped: string | undefined;
  readonly #replyMs: number;
  #left: number;
  #lastMs = 0;
  #isHeldBack = false;

  /** `names`: so many are asked; `replyMs` is what each answer usually may take. */
  constructor(names: number, replyMs: number) {
    this.#left = names;
    this.#replyMs = replyMs;
  }

  /** How long to wait for the next: what is held back is held back longer each time. */
  get patienceMs(): number {
    return Math.max(this.#replyMs, PATIENCE * this.#lastMs);
  }

  /** Takes one reply; false: ask no more. */
  take(name: string, reply: SmtpReply | Lost): boolean {
    if (isLimit(reply)) {
      this.stopped = isLost(reply) ? lossText(reply) : replyText(reply);
      return false;
    }
    if (isLost(reply)) return false;
    const signature = smtpSignature(reply, name);
    this.answers.push({ name, signature, ms: reply.ms });
    this.#lastMs = reply.ms;
    this.#left -= 1;
    const isRefused = signature.kind === 'refused' || signature.kind === 'later';
    const isFirst = this.answers.length === 1;
    this.#isHeldBack = isFirst && isRefused && reply.ms >= slowFor(this.#replyMs) && this.#left > 1;
    return !this.#isHeldBack;
  }

  get asked(): Asked {
    return { answers: this.answers, stopped: this.stopped, heldBack: this.#isHeldBack };
  }
}

/** A name as the address it has in a command, without brackets. */
export function addressOf(name: string, domain: string): string {
  return name.includes('@') ? name : `${quoteLocalPart(name)}@${domain}`;
}
