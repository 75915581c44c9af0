/** ManageSieve as an attacker hears it: capability lines up to OK, NO or BYE (RFC 5804 1.2). */

import { readWithLiterals } from './imap.ts';
import type { Lost, Wire } from './wire.ts';

export interface SieveAnswer {
  readonly kind: 'answer';
  readonly status: 'ok' | 'no' | 'bye';
  /** Behind the status, one octet a character, literals in place. */
  readonly text: string;
  /** What came before it: capabilities, listings. */
  readonly lines: readonly string[];
  readonly ms: number;
}

const END = /^(OK|NO|BYE)(?: |$)([^]*)$/i;

/** Reads up to the next OK, NO or BYE: the greeting is one too. */
export async function readSieve(wire: Wire, timeoutMs: number): Promise<SieveAnswer | Lost> {
  const startMs = wire.clock.elapsed();
  const leftMs = (): number => timeoutMs - (wire.clock.elapsed() - startMs);
  const lines: string[] = [];
  let octets = 0;
  for (;;) {
    const read = await readWithLiterals(wire, leftMs, wire.limits.replyBytes - octets);
    if (typeof read !== 'string') return read;
    octets += read.length;
    const [, word = '', text = ''] = END.exec(read) ?? [];
    if (word !== '') {
      const status =
        word.toUpperCase() === 'OK' ? 'ok' : word.toUpperCase() === 'NO' ? 'no' : 'bye';
      return { kind: 'answer', status, text: text.trim(), lines, ms: timeoutMs - leftMs() };
    }
    lines.push(read);
    if (lines.length > wire.limits.replyLines) {
      return { kind: 'flood', partial: Buffer.from(read.slice(0, 1_000), 'latin1') };
    }
  }
}

/** Sends a command line and reads its answer. */
export function askSieve(wire: Wire, line: string, timeoutMs: number): Promise<SieveAnswer | Lost> {
  wire.line(line);
  return readSieve(wire, timeoutMs);
}
