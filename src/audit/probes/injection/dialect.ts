/** What each protocol says around STARTTLS: how it is asked for, and talk whose answers are counted. */

import { latin1 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import type { Protocol } from '../../finding.ts';
import { readWithLiterals } from '../../wire/imap.ts';
import { readReply } from '../../wire/smtp.ts';
import { isLost, type Wire } from '../../wire/wire.ts';

/** One protocol's words. Answers are signatures: what stays the same when nothing happened. */
export interface Dialect {
  /** Said before STARTTLS, in clear; none where the greeting is enough. */
  readonly introduction: string | undefined;
  readonly startTls: string;
  /** Answered at once, whatever was said before, and changing nothing. */
  readonly harmless: string;
  /** What a new session begins with, and how it ends, after TLS. */
  readonly first: string;
  readonly leave: string;
  /** The next answer's signature; undefined when there is none (closed, or silence). */
  answer(wire: Wire, timeoutMs: number): Promise<string | undefined>;
  /** Whether an answer to STARTTLS agrees. */
  agrees(signature: string): boolean;
  /** Whether an answer is a refusal of a command that is not known. */
  refuses(signature: string): boolean;
  /** Whether the server greets again under TLS, unasked (RFC 5804 2.2). */
  readonly greetsAgain: boolean;
  /** Whether this answer ends the session. */
  ends(signature: string): boolean;
}

/** The words of a protocol; `name` is ours in EHLO. */
export function dialectOf(protocol: Protocol, name: string): Dialect {
  switch (protocol) {
    case 'imap':
      return IMAP;
    case 'pop3':
      return POP3;
    case 'sieve':
      return SIEVE;
    case 'smtp':
      return smtp(`EHLO ${name}`);
    case 'lmtp':
      return smtp(`LHLO ${name}`);
  }
}

function smtp(hello: string): Dialect {
  return {
    introduction: hello,
    startTls: 'STARTTLS',
    harmless: 'NOOP',
    first: hello,
    leave: 'QUIT',
    // Several lines are an EHLO's, which no other answer can be taken for.
    answer: async (wire, timeoutMs) => {
      const reply = await readReply(wire, timeoutMs);
      if (isLost(reply)) return undefined;
      return `${reply.code}${reply.lines.length > 1 ? '+' : ''}`;
    },
    agrees: (signature) => signature.startsWith('220'),
    refuses: (signature) => signature.startsWith('5'),
    greetsAgain: false,
    ends: (signature) => signature.startsWith('221') || signature.startsWith('421'),
  };
}

const IMAP: Dialect = {
  introduction: undefined,
  startTls: 's1 STARTTLS',
  harmless: 'i1 NOOP',
  first: 'a1 CAPABILITY',
  leave: 'z1 LOGOUT',
  answer: (wire, timeoutMs) => untilStatus(wire, timeoutMs, imapStatus),
  agrees: (signature) => signature === 's1 OK' || signature === '* OK',
  refuses: (signature) => / (?:BAD|NO)$/.test(signature),
  greetsAgain: false,
  ends: (signature) => signature.startsWith('z1 '),
};

const POP3: Dialect = {
  introduction: undefined,
  startTls: 'STLS',
  harmless: 'CAPA',
  first: 'CAPA',
  leave: 'QUIT',
  answer: (wire, timeoutMs) => untilStatus(wire, timeoutMs, pop3Status),
  agrees: (signature) => signature === '+OK',
  refuses: (signature) => signature === '-ERR',
  greetsAgain: false,
  // Its +OK looks like any other: the end of the connection is the end.
  ends: () => false,
};

const SIEVE: Dialect = {
  introduction: undefined,
  startTls: 'STARTTLS',
  harmless: 'NOOP "i1"',
  first: 'CAPABILITY',
  leave: 'LOGOUT',
  answer: (wire, timeoutMs) => untilStatus(wire, timeoutMs, sieveStatus),
  agrees: (signature) => signature.startsWith('OK'),
  refuses: (signature) => signature === 'NO' || signature === 'BYE',
  greetsAgain: true,
  ends: () => false,
};

/** Lines up to one that is an answer's end; the others belong to it. */
async function untilStatus(
  wire: Wire,
  timeoutMs: number,
  statusOf: (line: string) => string | undefined,
): Promise<string | undefined> {
  const untilMs = wire.clock.elapsed() + timeoutMs;
  const leftMs = (): number => Math.max(0, untilMs - wire.clock.elapsed());
  for (let count = 0; count < wire.limits.replyLines; count += 1) {
    const line = await readWithLiterals(wire, leftMs, wire.limits.replyBytes);
    if (typeof line !== 'string') return undefined;
    const status = statusOf(line);
    if (status !== undefined) return status;
  }
  return undefined;
}

/** A tagged answer with its tag, and the greeting's untagged one. */
function imapStatus(line: string): string | undefined {
  const [, tag, word = ''] = /^(\S{1,20}) (OK|NO|BAD|PREAUTH)\b/i.exec(line) ?? [];
  return tag === undefined ? undefined : `${tag} ${word.toUpperCase()}`;
}

function pop3Status(line: string): string | undefined {
  return /^(\+OK|-ERR)(?: |$)/i.exec(line)?.[1]?.toUpperCase();
}

/** RFC 5804 2.13: the answer to our NOOP carries its tag. */
function sieveStatus(line: string): string | undefined {
  const [, word] = /^(OK|NO|BYE)(?: |$)/i.exec(line) ?? [];
  if (word === undefined) return undefined;
  return `${word.toUpperCase()}${/\(TAG "?i1"?\)/i.test(line) ? ' i1' : ''}`;
}

/** A signature for a sentence. */
export function shown(answers: readonly string[]): string {
  return answers.length === 0 ? 'nothing' : answers.join(', ');
}

/** One octet a character of what came in clear where nothing should. */
export function clearText(octets: Uint8Array): string {
  return latin1(octets.slice(0, 120))
    .replaceAll(/[\r\n]+/g, ' ')
    .trim();
}

/** A session that did not come so far: whatever was to be learned cannot be told. */
export function noSession(why: string): Failure {
  return Failure.temporary('no-session', why);
}
