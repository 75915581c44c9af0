/** IMAP LOGIN and POP3 USER/PASS with a password that is nobody's, under TLS where it is offered. */

import { askImap, readImap } from '../../wire/imap.ts';
import { askPop3, readPop3 } from '../../wire/pop3.ts';
import { isLost, lossText, type Wire } from '../../wire/wire.ts';
import { nobodysPassword } from '../controls.ts';
import type { Asked, Asking, Opened, Oracle, OracleSession } from '../oracle.ts';
import { wordSignature, type Answer } from '../signature.ts';

export const imap: Oracle = {
  name: 'imap',
  means: 'a login that is known',
  logsIn: true,
  open: (asking) => openWith(asking, readyImap, attemptImap),
};

export const pop3: Oracle = {
  name: 'pop3',
  means: 'a login that is known',
  logsIn: true,
  open: (asking) => openWith(asking, readyPop3, attemptPop3),
};

type Attempt = (wire: Wire, name: string, asking: Asking) => Promise<Answer | string>;

/** `ready` says why a login cannot be tried: text, or undefined when it can. */
async function openWith(
  asking: Asking,
  ready: (wire: Wire, asking: Asking) => Promise<Unready | undefined>,
  attempt: Attempt,
): Promise<Opened> {
  const dialled = await asking.dial();
  if (dialled.kind !== 'open') {
    return { kind: 'failed', why: dialled.why, exchange: dialled.exchange };
  }
  const { wire } = dialled;
  const unready = await ready(wire, asking);
  if (unready === undefined) return { kind: 'session', session: session(wire, asking, attempt) };
  wire.close();
  return { ...unready, exchange: wire.exchange };
}

interface Unready {
  readonly kind: 'unsupported' | 'failed';
  readonly why: string;
}

function session(wire: Wire, asking: Asking, attempt: Attempt): OracleSession {
  return {
    pipelined: false,
    async ask(names): Promise<Asked> {
      const answers: Answer[] = [];
      for (const name of names) {
        const answer = await attempt(wire, name, asking);
        if (typeof answer === 'string') return { answers, stopped: answer };
        answers.push(answer);
      }
      return { answers, stopped: undefined };
    },
    close: async () => wire.close(),
    get exchange() {
      return wire.exchange;
    },
  };
}

async function readyImap(wire: Wire, asking: Asking): Promise<Unready | undefined> {
  const { replyMs, serverName } = asking;
  const greeting = await readImap(wire, '', replyMs);
  if (isLost(greeting)) return { kind: 'failed', why: `greeting: ${lossText(greeting)}` };
  const first = await capabilities(wire, 'c1', replyMs);
  if (wire.secure === undefined && first.includes('STARTTLS')) {
    const agreed = await askImap(wire, 's', 'STARTTLS', replyMs);
    if (isLost(agreed) || agreed.status !== 'ok')
      return { kind: 'failed', why: 'STARTTLS refused' };
    const secured = await wire.startTls(serverName, replyMs);
    if (secured.kind !== 'secure') return { kind: 'failed', why: secured.why };
    return disabled(await capabilities(wire, 'c2', replyMs));
  }
  return disabled(first);
}

function disabled(words: readonly string[]): Unready | undefined {
  if (!words.includes('LOGINDISABLED')) return undefined;
  return { kind: 'unsupported', why: 'LOGIN is disabled' };
}

async function capabilities(wire: Wire, tag: string, replyMs: number): Promise<string[]> {
  const answer = await askImap(wire, tag, 'CAPABILITY', replyMs);
  if (isLost(answer)) return [];
  const line = answer.untagged.find((text) => /^CAPABILITY /i.test(text)) ?? '';
  return line.toUpperCase().split(' ');
}

async function attemptImap(wire: Wire, name: string, asking: Asking): Promise<Answer | string> {
  const password = nobodysPassword(asking.random);
  const quoted = `"${name.replace(/["\\]/g, '\\$&')}"`;
  const answer = await askImap(wire, 'u', `LOGIN ${quoted} "${password}"`, asking.replyMs);
  if (isLost(answer)) return lossText(answer);
  if (answer.status === 'bye') return answer.text;
  return { name, signature: wordSignature(answer.status, answer.text, name), ms: answer.ms };
}

async function readyPop3(wire: Wire, asking: Asking): Promise<Unready | undefined> {
  const { replyMs, serverName } = asking;
  const greeting = await readPop3(wire, replyMs);
  if (isLost(greeting)) return { kind: 'failed', why: `greeting: ${lossText(greeting)}` };
  if (wire.secure !== undefined) return undefined;
  const offered = await askPop3(wire, 'CAPA', replyMs, true);
  if (isLost(offered) || !offered.lines.some((line) => /^STLS$/i.test(line))) return undefined;
  const agreed = await askPop3(wire, 'STLS', replyMs);
  if (isLost(agreed) || agreed.status !== 'ok') return { kind: 'failed', why: 'STLS refused' };
  const secured = await wire.startTls(serverName, replyMs);
  return secured.kind === 'secure' ? undefined : { kind: 'failed', why: secured.why };
}

async function attemptPop3(wire: Wire, name: string, asking: Asking): Promise<Answer | string> {
  const user = await askPop3(wire, `USER ${name}`, asking.replyMs);
  if (isLost(user)) return lossText(user);
  if (user.status !== 'ok') {
    return { name, signature: wordSignature('USER err', user.text, name), ms: user.ms };
  }
  const answer = await askPop3(wire, `PASS ${nobodysPassword(asking.random)}`, asking.replyMs);
  if (isLost(answer)) return lossText(answer);
  const words = `${user.text} then ${answer.text}`;
  const signature = wordSignature(`PASS ${answer.status}`, words, name);
  return { name, signature, ms: user.ms + answer.ms };
}
