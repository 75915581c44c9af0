/** A new head from an old one: fields in front, replaced, removed, added; no other octet changes. */

import { concat, utf8 } from '#base/bytes.ts';
import type { FieldText } from './field-text.ts';
import { type Head, headEnd, readHead } from './fields.ts';

export interface HeadEdit {
  /** Before everything else, in this order: trace fields (RFC 5321 4.4). */
  readonly front?: readonly FieldText[];
  /** Each takes the place of the first field of its name and the others go; else it is added. */
  readonly replace?: readonly FieldText[];
  /** Names of fields that go, all of them (any case). */
  readonly remove?: readonly string[];
  /** After all fields, before the empty line. */
  readonly add?: readonly FieldText[];
}

const SPACE = 0x20;
const TAB = 0x09;
/** Takes up a head's first line when that is a continuation of nothing. */
const ORPHAN = 'X-Orphaned-Line:\r\n';

/**
 * Carries out an edit on a head (up to and with its empty line, which may be missing). A head
 * that begins with white space gets a field of its own for that line: otherwise a stranger's
 * octets would become the end of the field put in front.
 */
export function editHead(head: Uint8Array, edit: HeadEdit): Uint8Array {
  const { front = [], replace = [], remove = [], add = [] } = edit;
  const pieces: Uint8Array[] = front.length === 0 ? [] : [Buffer.from(front.join(''), 'utf8')];
  if (front.length > 0 && (head[0] === SPACE || head[0] === TAB)) pieces.push(utf8(ORPHAN));
  if (replace.length === 0 && remove.length === 0 && add.length === 0) {
    pieces.push(head);
    return concat(pieces);
  }
  const read = readHead(head);
  const end = read.complete ? read.headBytes - emptyLine(head, read) : read.headBytes;
  const added = [...cutFields(head, read, { replace, remove, end }, pieces), ...add];
  if (added.length > 0) {
    // Of what is left: a field that went took its missing line end along with it.
    const last = pieces.findLast((piece) => piece.length > 0)?.at(-1);
    if (last !== undefined && last !== 0x0a) pieces.push(utf8('\r\n'));
    pieces.push(utf8(added.join('')));
  }
  pieces.push(head.subarray(end));
  return concat(pieces);
}

/** Splits a message in memory: its head with the empty line, and the body. */
export function splitMessage(message: Uint8Array): { head: Uint8Array; body: Uint8Array } {
  const end = headEnd(message) ?? message.length;
  return { head: message.subarray(0, end), body: message.subarray(end) };
}

/** Pieces of the old head with fields replaced and left out; gives what has yet to be added. */
function cutFields(
  head: Uint8Array,
  read: Head,
  edit: { replace: readonly FieldText[]; remove: readonly string[]; end: number },
  pieces: Uint8Array[],
): FieldText[] {
  const gone = new Set(edit.remove.map((name) => name.toLowerCase()));
  const waiting = new Map<string, FieldText[]>();
  for (const field of edit.replace) {
    const key = field.slice(0, field.indexOf(':')).toLowerCase();
    gone.add(key);
    waiting.set(key, [...(waiting.get(key) ?? []), field]);
  }
  let done = 0;
  for (const field of read.fields) {
    if (!gone.has(field.key)) continue;
    pieces.push(head.subarray(done, field.start));
    const instead = waiting.get(field.key);
    if (instead !== undefined) pieces.push(utf8(instead.join('')));
    waiting.delete(field.key);
    done = field.end;
  }
  pieces.push(head.subarray(done, edit.end));
  return [...waiting.values()].flat();
}

function emptyLine(head: Uint8Array, read: Head): number {
  return head[read.headBytes - 2] === 0x0d ? 2 : 1;
}
