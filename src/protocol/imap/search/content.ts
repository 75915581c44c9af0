/** Looking into a message's octets for SEARCH: headers decoded, text parts decoded, in windows. */

import { NO_BYTES } from '#base/bytes.ts';
import { readHead } from '#message/fields.ts';
import { foldText, searchTexts } from '#message/search-text.ts';
import { decodeParts } from '#message/tree.ts';
import { decodeWords } from '#message/words.ts';
import type { MessageDetail } from '#store/mail.ts';
import type { Session } from '../session.ts';
import { store, type Task } from '../task.ts';

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
  const looks = searchTexts(root, { heads, overlap: text.length });
  for (let next = looks.next(NO_BYTES); next.done !== true;) {
    const look = next.value;
    if (look.kind === 'read') {
      next = looks.next(yield* ahead.read(look.from, look.lengthBytes));
    } else if (look.text.includes(text)) {
      return true;
    } else {
      next = looks.next(NO_BYTES);
    }
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
