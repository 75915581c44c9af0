/** Message identifiers in Message-ID, In-Reply-To and References (RFC 5322 3.6.4). */

/** A longer one is no identifier: it could not stand in a line. */
const ID_LENGTH = 998;
const FIELD_IDS = 100_000;

/**
 * The identifiers of a field value, without angle brackets, in order, at most `max`. What stands
 * between them (RFC 5322 4.5.4 let In-Reply-To hold phrases) is passed over; white space inside
 * the brackets, which folding leaves behind, goes. Linear time.
 */
export function parseMessageIds(value: string, max = FIELD_IDS): string[] {
  const ids: string[] = [];
  let open = value.indexOf('<');
  while (open !== -1 && ids.length < max) {
    const close = value.indexOf('>', open);
    if (close === -1) break;
    // Of `<<a@b>` or `<x <a@b>` the last opening counts: bounced ids came with doubled brackets.
    const start = value.lastIndexOf('<', close) + 1;
    const id = cleanId(value.slice(start, close));
    if (id !== undefined) ids.push(id);
    open = value.indexOf('<', close);
  }
  return ids;
}

/** The one identifier of a Message-ID field, without brackets; also where they are missing. */
export function parseMessageId(value: string): string | undefined {
  const [id] = parseMessageIds(value, 1);
  if (id !== undefined) return id;
  return /[<>\s]/.test(value) || !value.includes('@') ? undefined : cleanId(value);
}

/**
 * References and In-Reply-To as one list, oldest first, none twice, at most `max`: of a longer
 * one the first (the thread's root) and the last are kept, as RFC 5537 3.4.4 does.
 */
export function threadIds(
  references: readonly string[],
  inReplyTo: readonly string[],
  max = 50,
): string[] {
  const all = [...new Set([...references, ...inReplyTo])];
  return all.length <= max ? all : [...all.slice(0, 1), ...all.slice(1 - max)];
}

function cleanId(text: string): string | undefined {
  const id = /\s/.test(text) ? text.replace(/\s+/g, '') : text;
  const fine = id.length > 0 && id.length <= ID_LENGTH && !/[\x00-\x1f\x7f]/.test(id);
  return fine ? id : undefined;
}
