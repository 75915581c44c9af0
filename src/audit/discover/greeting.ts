/** What a greeting says about the protocol, and the first questions that make it sure. */

import { Failure } from '#base/failure.ts';
import type { Protocol } from '../finding.ts';
import { imapCapabilities, sieveLine } from '../session.ts';
import { askImap } from '../wire/imap.ts';
import { askPop3 } from '../wire/pop3.ts';
import { readSieve } from '../wire/sieve.ts';
import { GREETING_MS } from '../wire/limits.ts';
import { ask, readReply } from '../wire/smtp.ts';
import { isLost, type Lost, lossText, type Wire } from '../wire/wire.ts';

/** A mail protocol that was really spoken, or the reason why it is none that we know. */
export type Spoken =
  | {
      readonly kind: 'spoken';
      readonly protocol: Protocol;
      readonly capabilities: readonly string[];
      readonly startTls: boolean;
      /** SMTP answered MAIL without a login with 530 (RFC 4954 6): it is for users. */
      readonly loginFirst: boolean;
    }
  | { readonly kind: 'other'; readonly why: string };

/** By the first octets alone; undefined when no mail protocol begins so. */
export function protocolOf(greeting: string): 'smtp' | 'imap' | 'pop3' | 'sieve' | undefined {
  if (/^\d{3}[ -]/.test(greeting)) return 'smtp';
  if (/^\* (?:OK|PREAUTH|BYE)\b/i.test(greeting)) return 'imap';
  if (/^(?:\+OK|-ERR)\b/i.test(greeting)) return 'pop3';
  return /^(?:"[A-Z]|OK\b|BYE\b)/i.test(greeting) ? 'sieve' : undefined;
}

/** Octets of a greeting that tell a refusal. */
export const REFUSAL_BYTES = 5;

/** By its first octets: no session just now (RFC 5321 3.8, RFC 9051 7.1.5, RFC 1939 3). */
export function isRefusal(greeting: string): boolean {
  return /^(?:421|\* BYE|-ERR|BYE)/i.test(greeting);
}

/** The conversation behind a greeting of which the first line was `greeting`. */
export async function speak(
  wire: Wire,
  greeting: string,
  { heloName, replyMs }: { readonly heloName: string; readonly replyMs: number },
): Promise<Spoken> {
  switch (protocolOf(greeting)) {
    case 'smtp':
      return speakSmtp(wire, greeting, heloName, replyMs);
    case 'imap':
      return speakImap(wire, replyMs);
    case 'pop3':
      return speakPop3(wire, replyMs);
    case 'sieve':
      return speakSieve(wire, greeting, replyMs);
    default:
      return { kind: 'other', why: 'the greeting belongs to no mail protocol' };
  }
}

const SLOW_MS = 7_000;

function silent(command: string, lost: Lost): Spoken {
  return { kind: 'other', why: `greets well, but to ${command} there is ${lossText(lost)}` };
}

async function speakSmtp(
  wire: Wire,
  greeting: string,
  name: string,
  replyMs: number,
): Promise<Spoken> {
  // The first line may be there at once and the last one late: postscreen's trap for early talkers.
  if (/^\d{3}-/.test(greeting)) {
    const rest = await readReply(wire, GREETING_MS);
    if (isLost(rest)) return silent('the end of its greeting', rest);
  }
  // RFC 5321 3.1: a server that will not serve says 554 (or 521, RFC 7504), and is one still; so is
  // whoever refuses with an enhanced code (RFC 3463).
  if (!greeting.startsWith('220')) {
    const known = /^(?:421|521|554)|^[45]\d\d[ -][45]\.\d{1,3}\.\d/.test(greeting);
    return known ? spoken('smtp', [], false) : { kind: 'other', why: 'greeted with no 220' };
  }
  // Looking up our name may take it a while; whoever is silent longer would be so in every test.
  const ehlo = await ask(wire, `EHLO ${name}`, Math.max(replyMs, SLOW_MS));
  if (isLost(ehlo)) return silent('EHLO', ehlo);
  if (ehlo.code === 250) {
    const mail = await ask(wire, 'MAIL FROM:<>', replyMs);
    return spoken('smtp', ehlo.lines.slice(1), !isLost(mail) && mail.code === 530);
  }
  const lhlo = await ask(wire, `LHLO ${name}`, replyMs);
  if (!isLost(lhlo) && lhlo.code === 250) return spoken('lmtp', lhlo.lines.slice(1), false);
  const helo = await ask(wire, `HELO ${name}`, replyMs);
  if (!isLost(helo) && helo.code === 250) return spoken('smtp', [], false);
  if (/smtp/i.test(greeting)) return spoken('smtp', [], false);
  return { kind: 'other', why: `EHLO, LHLO and HELO were refused (${ehlo.code})` };
}

function spoken(protocol: Protocol, lines: readonly string[], loginFirst: boolean): Spoken {
  const startTls = lines.some((line) => /^STARTTLS\b/i.test(line.trim()));
  return { kind: 'spoken', protocol, capabilities: lines, startTls, loginFirst };
}

async function speakImap(wire: Wire, replyMs: number): Promise<Spoken> {
  const answer = await askImap(wire, 'a1', 'CAPABILITY', replyMs);
  if (isLost(answer)) return silent('CAPABILITY', answer);
  const words = imapCapabilities(answer);
  return {
    kind: 'spoken',
    protocol: 'imap',
    capabilities: words,
    startTls: words.includes('STARTTLS'),
    loginFirst: true,
  };
}

async function speakPop3(wire: Wire, replyMs: number): Promise<Spoken> {
  const answer = await askPop3(wire, 'CAPA', replyMs, true);
  if (isLost(answer)) return silent('CAPA', answer);
  const { lines } = answer;
  return {
    kind: 'spoken',
    protocol: 'pop3',
    capabilities: lines,
    startTls: lines.some((line) => /^STLS\b/i.test(line)),
    loginFirst: true,
  };
}

/** The greeting's first line was taken already: it is a capability unless it is the OK. */
async function speakSieve(wire: Wire, first: string, replyMs: number): Promise<Spoken> {
  const rest = /^(?:OK|BYE)\b/i.test(first) ? undefined : await readSieve(wire, replyMs);
  if (rest !== undefined && isLost(rest)) {
    return { kind: 'other', why: 'the list of capabilities has no end' };
  }
  const lines = [first, ...(rest?.lines ?? [])].map(sieveLine);
  if (!lines.some((line) => /^(?:IMPLEMENTATION|SIEVE)\b/i.test(line))) {
    return { kind: 'other', why: 'greets as ManageSieve does, but lists no capability of it' };
  }
  return {
    kind: 'spoken',
    protocol: 'sieve',
    capabilities: lines,
    startTls: lines.some((line) => /^STARTTLS\b/i.test(line)),
    loginFirst: true,
  };
}

/** A bug elsewhere must not look like a silent server. */
export function notSpoken(thrown: unknown): Spoken {
  return { kind: 'other', why: Failure.from(thrown).message };
}
