/** SMTP as an attacker hears it: replies taken as they come, oddities noted, limits kept. */

import { latin1, parseUtf8 } from '#base/bytes.ts';
import { isLost, type Lost, type Wire } from './wire.ts';

/** One reply (RFC 5321 4.2), also a malformed one. */
export interface SmtpReply {
  readonly kind: 'reply';
  /** 0 when there was no code. */
  readonly code: number;
  readonly enhanced: string | undefined;
  /** Without codes and line ends. */
  readonly lines: readonly string[];
  /** From asking (the call) to its last octet. */
  readonly ms: number;
  /** What was wrong with its form: `bare-lf`, `no-code`, `codes-differ`, `control`. */
  readonly odd: readonly string[];
}

const LINE = /^(\d{3})(?:([ -])([^]*))?$/;
const ENHANCED = /^([245]\.\d{1,3}\.\d{1,3})(?: |$)/;
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;

/** The next reply, whole, within `timeoutMs`. */
export async function readReply(wire: Wire, timeoutMs: number): Promise<SmtpReply | Lost> {
  const startMs = wire.clock.elapsed();
  const odd = new Set<string>();
  const lines: string[] = [];
  let code: number | undefined;
  let enhanced: string | undefined;
  let octets = 0;
  for (;;) {
    const read = await wire.readLine(timeoutMs - (wire.clock.elapsed() - startMs));
    if (isLost(read)) return read;
    octets += read.octets.length;
    if (lines.length >= wire.limits.replyLines || octets > wire.limits.replyBytes) {
      return { kind: 'flood', partial: read.octets.slice(0, 1_000) };
    }
    if (read.end === 'lf') odd.add('bare-lf');
    const text = parseUtf8(read.octets) ?? latin1(read.octets);
    if (CONTROL.test(text)) odd.add('control');
    const [, digits, mark, rest = ''] = LINE.exec(text) ?? [];
    if (digits === undefined) odd.add('no-code');
    else if (code !== undefined && code !== Number(digits)) odd.add('codes-differ');
    code ??= digits === undefined ? undefined : Number(digits);
    const words = digits === undefined ? text : rest;
    enhanced ??= ENHANCED.exec(words)?.[1];
    lines.push(words.replace(ENHANCED, ''));
    if (mark === '-' && digits !== undefined) continue;
    const ms = Math.max(0, read.atMs - startMs);
    return { kind: 'reply', code: code ?? 0, enhanced, lines, ms, odd: [...odd] };
  }
}

/** Sends one command line and reads its reply. */
export async function ask(wire: Wire, line: string, timeoutMs: number): Promise<SmtpReply | Lost> {
  wire.line(line);
  return readReply(wire, timeoutMs);
}

/**
 * Sends lines in one write and reads a reply for each, the deadline being for each reply. Ends
 * early, with the loss last, when the server does.
 */
export async function batch(
  wire: Wire,
  lines: readonly string[],
  timeoutMs: number,
): Promise<(SmtpReply | Lost)[]> {
  wire.send(lines.map((line) => `${line}\r\n`).join(''));
  const replies: (SmtpReply | Lost)[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const reply = await readReply(wire, timeoutMs);
    replies.push(reply);
    if (isLost(reply)) break;
  }
  return replies;
}

/** The keywords of an EHLO reply with their parameters, in upper case, in the server's order. */
export function keywordsOf(reply: SmtpReply): ReadonlyMap<string, string> {
  const words = new Map<string, string>();
  for (const line of reply.lines.slice(1)) {
    const [, keyword = '', rest = ''] = /^([^\s=]+)[ =]?([^]*)$/.exec(line.trim()) ?? [];
    if (keyword !== '') words.set(keyword.toUpperCase(), rest);
  }
  return words;
}

/** A reply as one line: `550 5.1.1 no such user`. */
export function replyText({ code, enhanced, lines }: SmtpReply): string {
  const digits = code === 0 ? '' : `${code} `;
  return `${digits}${enhanced === undefined ? '' : `${enhanced} `}${lines.join(' / ')}`.trim();
}
