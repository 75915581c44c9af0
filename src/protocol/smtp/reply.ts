/** SMTP replies: a code, an enhanced code, lines of text (RFC 5321 4.2, RFC 2034, RFC 3463). */

/** A reply; `lines` without CRLF and without codes. */
export interface Reply {
  readonly code: number;
  /** `2.1.5`; undefined for 220, 221 greetings, 250 to EHLO, 334 and 354. */
  readonly enhanced: string | undefined;
  readonly lines: readonly string[];
}

const CONTROL = /[\x00-\x1f\x7f]/g;

/** A one-line reply. */
export function reply(code: number, enhanced: string | undefined, text: string): Reply {
  return { code, enhanced, lines: [text] };
}

/**
 * A reply as text with CRLF after each line, the enhanced code on each line (RFC 2034 4).
 * Control characters in the text become `?`: nothing can be injected through a reply.
 */
export function formatReply(reply: Reply): string {
  const status = reply.enhanced === undefined ? '' : `${reply.enhanced} `;
  const last = reply.lines.length - 1;
  let out = '';
  for (let index = 0; index <= last; index++) {
    const line = reply.lines[index] ?? '';
    const clean = isPrintable(line) ? line : line.replace(CONTROL, '?');
    // RFC 5321 4.5.3.1.5: 512 with all of it; a SASL challenge cut short would be another one.
    const text = clean.length > 480 && reply.code !== 334 ? clean.slice(0, 480) : clean;
    out += `${reply.code}${index === last ? ' ' : '-'}${status}${text}\r\n`;
  }
  return out;
}

function isPrintable(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return false;
  }
  return true;
}
