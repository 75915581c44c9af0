/** Replies out of a stream of octets from a server that may be hostile (RFC 5321 4.2). */

import { concat, CR, latin1, LF, NO_BYTES, parseUtf8, visible } from '#base/bytes.ts';
import type { Reply } from '../reply.ts';

export interface ReplyLimits {
  /** Octets of one line with its CRLF; RFC 5321 4.5.3.1.5 says 512, some hosts say more. */
  readonly lineBytes: number;
  readonly lines: number;
  /** Octets of one reply. */
  readonly replyBytes: number;
}

export const REPLY_LIMITS: ReplyLimits = { lineBytes: 2_048, lines: 100, replyBytes: 65_536 };

/** A reply, or the end: after `broken` nothing that the server says has a meaning. */
export type Parsed =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'broken'; readonly why: string };

const LINE = /^([2-5]\d\d)(?:([ -])([^]*))?$/;
const ENHANCED = /^([245]\.\d{1,3}\.\d{1,3})(?: |$)/;
const PLAIN = /^[\t\x20-\x7e]*$/;
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;

/**
 * Octets in, replies out, in any chunking. Only CRLF ends a line; a bare CR or LF, any other
 * control character, a code of two or four digits or a changed code within one reply is broken:
 * such text has injected commands into queue files and logs (CVE-2020-8794).
 */
export class ReplyParser {
  readonly #limits: ReplyLimits;
  #pending: Uint8Array = NO_BYTES;
  #lines: string[] = [];
  #code = 0;
  #octets = 0;
  #broken = false;

  constructor(limits: ReplyLimits) {
    this.#limits = limits;
  }

  /** Whether part of a reply is there, and its end is not. */
  get partial(): boolean {
    return this.#pending.length > 0 || this.#lines.length > 0;
  }

  push(bytes: Uint8Array): Parsed[] {
    const out: Parsed[] = [];
    if (this.#broken) return out;
    const all = this.#pending.length === 0 ? bytes : concat([this.#pending, bytes]);
    let start = 0;
    for (let end = all.indexOf(LF); end >= 0; end = all.indexOf(LF, start)) {
      const parsed = this.#line(all.subarray(start, end + 1));
      start = end + 1;
      if (parsed !== undefined) out.push(parsed);
      if (parsed?.kind === 'broken') return out;
    }
    this.#pending = start === all.length ? NO_BYTES : all.slice(start);
    if (this.#pending.length >= this.#limits.lineBytes) out.push(this.#end('a line without end'));
    return out;
  }

  #line(line: Uint8Array): Parsed | undefined {
    const { lineBytes, lines, replyBytes } = this.#limits;
    if (line.length > lineBytes) return this.#end(`a line of more than ${lineBytes} octets`);
    if (line.at(-2) !== CR) return this.#end('a bare LF', line);
    const octets = line.subarray(0, -2);
    const text = textOf(octets);
    if (text === undefined) return this.#end('a control character', line);
    const [, code, separator, rest = ''] = LINE.exec(text) ?? [];
    if (code === undefined) return this.#end('no reply code', line);
    if (this.#lines.length > 0 && Number(code) !== this.#code) {
      return this.#end('two codes in one reply', line);
    }
    this.#code = Number(code);
    this.#lines.push(rest);
    this.#octets += line.length;
    if (this.#octets > replyBytes) return this.#end(`a reply of more than ${replyBytes} octets`);
    if (separator !== '-') return this.#take();
    return this.#lines.length < lines ? undefined : this.#end(`more than ${lines} lines`);
  }

  #take(): Parsed {
    const reply = makeReply(this.#code, this.#lines);
    this.#lines = [];
    this.#octets = 0;
    return { kind: 'reply', reply };
  }

  #end(why: string, line?: Uint8Array): Parsed {
    this.#broken = true;
    // Nothing waits for its rest any more, however the octets were cut.
    this.#pending = NO_BYTES;
    this.#lines = [];
    const shown = line === undefined ? '' : `: ${visible(line, 80)}`;
    return { kind: 'broken', why: `${why}${shown}` };
  }
}

/** The text of a line, undefined if there is a control character in it. */
function textOf(octets: Uint8Array): string | undefined {
  const plain = latin1(octets);
  if (PLAIN.test(plain)) return plain;
  const text = parseUtf8(octets) ?? plain;
  return CONTROL.test(text) ? undefined : text;
}

/** The enhanced code counts only if its class is the code's (RFC 2034 4). */
function makeReply(code: number, lines: readonly string[]): Reply {
  const enhanced = ENHANCED.exec(lines.at(-1) ?? '')?.[1];
  if (enhanced === undefined || enhanced[0] !== String(code)[0]) {
    return { code, enhanced: undefined, lines };
  }
  return { code, enhanced, lines: lines.map(withoutEnhanced) };
}

function withoutEnhanced(line: string): string {
  const [start = ''] = ENHANCED.exec(line) ?? [];
  return line.slice(start.length);
}
