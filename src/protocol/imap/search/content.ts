/** Looking into a message's octets for SEARCH: headers decoded, text parts decoded, in windows. */

import { LF, asBuffer } from '#base/bytes.ts';
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
  for (const part of walkParts(root)) {
    if (heads && (yield* partHeadHas(session, row, part, text))) return true;
    if (part.type === 'text' && (yield* partBodyHas(session, row, part, text))) return true;
  }
  return false;
}

function* partHeadHas(
  session: Session,
  row: MessageDetail,
  part: Part,
  text: string,
): Task<boolean> {
  const { headStart, headBytes } = part;
  const head = yield* store(session, (access) => access.octets(row, headStart, headBytes));
  for (const field of readHead(head).fields) {
    if (foldText(`${field.name}: ${decodeWords(field.value)}`).includes(text)) return true;
  }
  return false;
}

/** Windows end at line ends, and each begins with what the one before ended with. */
function* partBodyHas(
  session: Session,
  row: MessageDetail,
  part: Part,
  text: string,
): Task<boolean> {
  const end = part.bodyStart + part.bodyBytes;
  let before = '';
  for (let at = part.bodyStart; at < end;) {
    const start = at;
    const size = Math.min(WINDOW_OCTETS, end - at);
    const octets = yield* store(session, (access) => access.octets(row, start, size));
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
