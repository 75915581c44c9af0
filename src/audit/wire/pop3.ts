/** POP3 as an attacker hears it: one status line, and a listing up to its dot where one is due. */

import { latin1 } from '#base/bytes.ts';
import { isLost, type Lost, type Wire } from './wire.ts';

/** RFC 1939 3. */
export interface Pop3Answer {
  readonly kind: 'answer';
  /** `continue`: `+ ` of AUTH (RFC 5034 4); `other`: neither `+OK` nor `-ERR`. */
  readonly status: 'ok' | 'err' | 'continue' | 'other';
  readonly text: string;
  /** Of a multi-line answer, dots undone; one octet a character. */
  readonly lines: readonly string[];
  readonly ms: number;
}

/** The next answer; `listing`: lines follow a `+OK`, up to a single dot. */
export async function readPop3(
  wire: Wire,
  timeoutMs: number,
  listing = false,
): Promise<Pop3Answer | Lost> {
  const startMs = wire.clock.elapsed();
  const first = await wire.readLine(timeoutMs);
  if (isLost(first)) return first;
  const whole = latin1(first.octets);
  const status = statusOf(whole);
  const text = whole.replace(/^(?:\+OK|-ERR|\+) ?/i, '');
  const lines: string[] = [];
  const done = (): Pop3Answer => {
    return { kind: 'answer', status, text, lines, ms: wire.clock.elapsed() - startMs };
  };
  let octets = 0;
  if (!listing || status !== 'ok') return done();
  for (;;) {
    const read = await wire.readLine(timeoutMs - (wire.clock.elapsed() - startMs));
    if (isLost(read)) return read;
    const line = latin1(read.octets);
    octets += line.length;
    if (line === '.') return done();
    if (lines.length >= wire.limits.replyLines || octets > wire.limits.replyBytes) {
      return { kind: 'flood', partial: read.octets.slice(0, 1_000) };
    }
    lines.push(line.startsWith('.') ? line.slice(1) : line);
  }
}

/** Sends a command line and reads its answer. */
export function askPop3(
  wire: Wire,
  line: string,
  timeoutMs: number,
  listing = false,
): Promise<Pop3Answer | Lost> {
  wire.line(line);
  return readPop3(wire, timeoutMs, listing);
}

function statusOf(line: string): Pop3Answer['status'] {
  if (/^\+OK(?: |$)/i.test(line)) return 'ok';
  if (/^-ERR(?: |$)/i.test(line)) return 'err';
  return /^\+(?: |$)/.test(line) ? 'continue' : 'other';
}
