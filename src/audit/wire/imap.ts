/** IMAP as an attacker hears it: untagged lines, literals and the tagged end, under limits. */

import { latin1 } from '#base/bytes.ts';
import { isLost, type Lost, type Wire } from './wire.ts';

/** Everything up to the tagged answer (RFC 3501 7.1), or up to a `+` that wants more. */
export interface ImapAnswer {
  readonly kind: 'answer';
  /** Of the tagged line; `continue` for `+`, `bye` when the server said it and closed. */
  readonly status: 'ok' | 'no' | 'bad' | 'continue' | 'bye' | 'other';
  /** The text behind the status. */
  readonly text: string;
  /** Untagged lines without `* `, one octet a character, literals in place. */
  readonly untagged: readonly string[];
  readonly ms: number;
}

const LITERAL = /\{(\d{1,10})\+?\}$/;

/** Reads until `tag` answers. An empty tag: one untagged line (the greeting). */
export async function readImap(
  wire: Wire,
  tag: string,
  timeoutMs: number,
): Promise<ImapAnswer | Lost> {
  const startMs = wire.clock.elapsed();
  const leftMs = (): number => timeoutMs - (wire.clock.elapsed() - startMs);
  const untagged: string[] = [];
  let octets = 0;
  let bye: string | undefined;
  for (;;) {
    const read = await readWithLiterals(wire, leftMs, wire.limits.replyBytes - octets);
    if (typeof read !== 'string') {
      if (bye === undefined || read.kind === 'timeout') return read;
      return { kind: 'answer', status: 'bye', text: bye, untagged, ms: timeoutMs - leftMs() };
    }
    octets += read.length;
    const ms = timeoutMs - leftMs();
    const own = tag === '' ? '* ' : `${tag} `;
    if (read.startsWith(own)) return answerOf(read.slice(own.length), untagged, ms);
    if (read.startsWith('+')) {
      return { kind: 'answer', status: 'continue', text: read.slice(1).trim(), untagged, ms };
    }
    if (/^\* BYE\b/i.test(read)) bye = read.slice(6);
    untagged.push(read.replace(/^\* /, ''));
    if (untagged.length > wire.limits.replyLines) return flood(read);
  }
}

/** Sends a command under a tag and reads up to its answer. */
export function askImap(
  wire: Wire,
  tag: string,
  line: string,
  timeoutMs: number,
): Promise<ImapAnswer | Lost> {
  wire.line(`${tag} ${line}`);
  return readImap(wire, tag, timeoutMs);
}

function answerOf(rest: string, untagged: readonly string[], ms: number): ImapAnswer {
  const [, word = '', text = ''] = /^([A-Za-z]+) ?([^]*)$/.exec(rest) ?? [];
  const known = { OK: 'ok', NO: 'no', BAD: 'bad', BYE: 'bye' } as const;
  const status = Object.entries(known).find(([name]) => name === word.toUpperCase())?.[1];
  return { kind: 'answer', status: status ?? 'other', text, untagged, ms };
}

/** One logical line: literals of RFC 3501 4.3 and what follows them belong to it. */
export async function readWithLiterals(
  wire: Wire,
  leftMs: () => number,
  mostBytes: number,
): Promise<string | Lost> {
  let text = '';
  for (;;) {
    const read = await wire.readLine(leftMs());
    if (isLost(read)) return read;
    text += latin1(read.octets);
    if (text.length > mostBytes) return flood(text);
    const size = LITERAL.exec(text.slice(-16))?.[1];
    if (size === undefined) return text;
    if (text.length + Number(size) > mostBytes) return flood(text);
    const octets = await wire.readOctets(Number(size), leftMs());
    if (isLost(octets)) return octets;
    text += `\r\n${latin1(octets)}`;
  }
}

function flood(text: string): Lost {
  return { kind: 'flood', partial: Buffer.from(text.slice(0, 1_000), 'latin1') };
}
