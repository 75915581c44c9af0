/** What VRFY, EXPN and RCPT have in common: a session behind EHLO, and where a server stops. */

import { quoteLocalPart } from '#base/address.ts';
import { sayHello } from '../../wire/hello.ts';
import { readReply, replyText, type SmtpReply } from '../../wire/smtp.ts';
import { isLost, lossText, type Lost, type Wire } from '../../wire/wire.ts';
import type { Asked, Asking, Opened, OracleSession } from '../oracle.ts';
import { isLimit, smtpSignature, type Answer } from '../signature.ts';

const QUIT_MS = 250;

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

/** Collects answers until the server reaches a limit. */
export class Collected {
  readonly answers: Answer[] = [];
  stopped: string | undefined;

  /** Takes one reply; false: ask no more. */
  take(name: string, reply: SmtpReply | Lost): boolean {
    if (isLimit(reply)) {
      this.stopped = isLost(reply) ? lossText(reply) : replyText(reply);
      return false;
    }
    if (isLost(reply)) return false;
    this.answers.push({ name, signature: smtpSignature(reply, name), ms: reply.ms });
    return true;
  }

  get asked(): Asked {
    return { answers: this.answers, stopped: this.stopped };
  }
}

/** A name as the address it has in a command, without brackets. */
export function addressOf(name: string, domain: string): string {
  return name.includes('@') ? name : `${quoteLocalPart(name)}@${domain}`;
}
