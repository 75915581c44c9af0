/** One question of TLS: a connection of its own, STARTTLS where it needs that, a hello, the answer. */

import type { Random } from '#base/world.ts';
import { Failure } from '#base/failure.ts';
import type { ProbeOptions } from '../probe.ts';
import { greeted, opened, type SessionContext } from '../session.ts';
import { askImap, readImap } from '../wire/imap.ts';
import { askPop3, readPop3 } from '../wire/pop3.ts';
import { askSieve, readSieve } from '../wire/sieve.ts';
import { ask } from '../wire/smtp.ts';
import { isLost, lossText, type Wire } from '../wire/wire.ts';
import { clientHello, type HelloQuestion, sslv2Hello } from './client-hello.ts';
import { type HelloAnswer, readFlight, readSslv2 } from './flight.ts';

export interface AskContext extends SessionContext {
  readonly random: Random;
  leftMs(): number;
}

/** The answer to a hello. Fails (temporary, `no-session`) when STARTTLS was not reached. */
export async function askHello(context: AskContext, question: HelloQuestion): Promise<HelloAnswer> {
  const wire = await openForTls(context);
  const { serverName = context.service.host } = question;
  wire.send(clientHello({ ...question, serverName }, context.random));
  const answer = await readFlight(wire, answerMs(context));
  wire.close();
  return answer;
}

/** The same with SSLv2's hello. */
export async function askSslv2(context: AskContext): Promise<'spoken' | HelloAnswer> {
  const wire = await openForTls(context);
  wire.send(sslv2Hello(context.random));
  const answer = await readSslv2(wire, answerMs(context));
  wire.close();
  return answer;
}

/** Whether a server says it at once: half of what is left must do for one question. */
function answerMs({ options, leftMs }: AskContext): number {
  return Math.min(options.replyMs, Math.max(200, leftMs() / 2));
}

/** A wire on which the next octets are TLS: connected, and STARTTLS agreed where it is needed. */
export async function openForTls(context: SessionContext): Promise<Wire> {
  const { protocol, tls } = context.service;
  const isMail = tls !== 'implicit' && (protocol === 'smtp' || protocol === 'lmtp');
  // Who is full just now is asked again.
  const wire = isMail
    ? (await greeted(context, { tls: null })).wire
    : await opened(context, { tls: null });
  if (tls === 'implicit') return wire;
  const refusal = await agree(wire, context);
  if (refusal === undefined) return wire;
  throw Failure.temporary('no-session', `STARTTLS: ${refusal}`);
}

/** undefined: the server agreed; else why not. */
async function agree(
  wire: Wire,
  { service, options }: { service: SessionContext['service']; options: AgreeOptions },
): Promise<string | undefined> {
  const { replyMs } = options;
  switch (service.protocol) {
    case 'imap': {
      const greeting = await readImap(wire, '', replyMs);
      if (isLost(greeting)) return lossText(greeting);
      const answer = await askImap(wire, 's1', 'STARTTLS', replyMs);
      return isLost(answer) ? lossText(answer) : answer.status === 'ok' ? undefined : answer.text;
    }
    case 'pop3': {
      const greeting = await readPop3(wire, replyMs);
      if (isLost(greeting)) return lossText(greeting);
      const answer = await askPop3(wire, 'STLS', replyMs);
      return isLost(answer) ? lossText(answer) : answer.status === 'ok' ? undefined : answer.text;
    }
    case 'sieve': {
      const greeting = await readSieve(wire, replyMs);
      if (isLost(greeting)) return lossText(greeting);
      const answer = await askSieve(wire, 'STARTTLS', replyMs);
      return isLost(answer) ? lossText(answer) : answer.status === 'ok' ? undefined : answer.text;
    }
    case 'smtp':
    case 'lmtp': {
      const hello = service.protocol === 'lmtp' ? 'LHLO' : 'EHLO';
      const introduced = await ask(wire, `${hello} ${options.heloName}`, replyMs);
      if (isLost(introduced)) return lossText(introduced);
      const answer = await ask(wire, 'STARTTLS', replyMs);
      if (isLost(answer)) return lossText(answer);
      return answer.code === 220 ? undefined : `${answer.code} ${answer.lines[0] ?? ''}`;
    }
  }
}

type AgreeOptions = Pick<ProbeOptions, 'replyMs' | 'heloName'>;
