/** Looking into a message's octets for SEARCH: headers decoded, text parts decoded, in windows. */

import { LF, NO_BYTES, asBuffer } from '#base/bytes.ts';
import { readHead } from '#message/fields.ts';
import type { Part } from '#message/part.ts';
import { partText } from '#message/text.ts';
import { decodeParts, walkParts } from '#message/tree.ts';
import { decodeWords } from '#message/words.ts';
import type { MessageDetail } from '#store/mail.ts';
import type { Session } from '../session.ts';
import { store, type Task } from '../task.ts';
import { foldText } from './fold.ts';

/** Octets of a part decoded at once: a few milliseconds of work. */
const WINDOW_OCTETS = 262_144;
/** Octets read at once: of 10,000 small parts not each is a question to the store. */
const AHEAD_OCTETS = 65_536;

/** Whether a field of that name (lower case) holds the text; an empty text: whether it is there. */
export function* headHas(
  session: Session,
  row: MessageDetail,
  name: string,
  text: string,
): Task<boolean> {
  const head = yield* store(session, (access) => access.octets(row, 0, row.headBytes));
  for (const field of readHead(head).fields) {
    if (field.key === name && foldText(decodeWords(field.value)).includes(text)) return true;
  }
  return false;
}

/** Whether the body (and with `heads` all headers, those of inner messages too) holds the text. */
export function* messageHas(
  session: Session,
  row: MessageDetail,
  text: string,
  heads: boolean,
): Task<boolean> {
  if (text === '') return true;
  const root = row.parts === undefined ? undefined : decodeParts(row.parts);
  if (root === undefined) return false;
  const ahead = new Ahead(session, row);
  for (const part of walkParts(root)) {
    if (heads && (yield* partHeadHas(ahead, part, text))) return true;
    if (part.type === 'text' && (yield* partBodyHas(ahead, part, text))) return true;
  }
  return false;
}

/** Reads a message forwards, some more than it is asked for. */
class Ahead {
  readonly #session: Session;
  readonly #row: MessageDetail;
  #octets: Uint8Array = NO_BYTES;
  #from = 0;

  constructor(session: Session, row: MessageDetail) {
    this.#session = session;
    this.#row = row;
  }

  *read(from: number, lengthBytes: number): Task<Uint8Array> {
    const end = this.#from + this.#octets.length;
    if (from < this.#from || from + lengthBytes > end) {
      const length = Math.min(Math.max(lengthBytes, AHEAD_OCTETS), this.#row.sizeBytes - from);
      if (length <= 0) return NO_BYTES;
      this.#octets = yield* store(this.#session, (access) =>
        access.octets(this.#row, from, length),
      );
      this.#from = from;
    }
    const start = from - this.#from;
    return this.#octets.subarray(start, start + lengthBytes);
  }
}

function* partHeadHas(ahead: Ahead, part: Part, text: string): Task<boolean> {
  const head = yield* ahead.read(part.headStart, part.headBytes);
  for (const field of readHead(head).fields) {
    if (foldText(`${field.name}: ${decodeWords(field.value)}`).includes(text)) return true;
  }
  return false;
}

/** Windows end at line ends, and each begins with what the one before ended with. */
function* partBodyHas(ahead: Ahead, part: Part, text: string): Task<boolean> {
  const end = part.bodyStart + part.bodyBytes;
  let before = '';
  for (let at = part.bodyStart; at < end;) {
    const start = at;
    const size = Math.min(WINDOW_OCTETS, end - at);
    const octets = yield* ahead.read(start, size);
    if (octets.length === 0) return false;
    const lastLine = asBuffer(octets).lastIndexOf(LF);
    const cut = start + octets.length < end && lastLine > 0 ? lastLine + 1 : octets.length;
    const found = before + foldText(partText(part, octets.subarray(0, cut)));
    if (found.includes(text)) return true;
    before = found.slice(-text.length);
    at += cut;
  }
  return false;
}
