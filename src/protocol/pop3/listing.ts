/** LIST and UIDL: one line about one message, or a line about each, in slices. */

import { messageIndex, wordsOf } from './arguments.ts';
import type { Session, Task } from './session.ts';

/** RFC 1939 5 and 7: `describe` gives what stands behind the message number. */
export function listing(
  session: Session,
  argument: Uint8Array | undefined,
  describe: (index: number) => string | number,
): Task | void {
  const [word, more] = wordsOf(argument);
  if (more !== undefined) return session.error('one message number at most');
  if (word === undefined) return listAll(session, describe);
  const index = messageIndex(session, word);
  if (index !== undefined) session.ok(`${index + 1} ${describe(index)}`);
}

/** A maildrop of a million messages is no reason to hold its listing in memory. */
function* listAll(session: Session, describe: (index: number) => string | number): Task {
  const { count, sizeBytes } = session.totals;
  session.ok(`${count} messages (${sizeBytes} octets)`);
  session.streaming = true;
  let text = '';
  for (let index = 0; index < session.maildrop.count; index += 1) {
    if (session.isDeleted(index)) continue;
    text += `${index + 1} ${describe(index)}\r\n`;
    if (text.length < session.options.sliceBytes) continue;
    session.send(text);
    text = '';
    yield* session.paced();
  }
  session.send(`${text}.\r\n`);
  yield* session.paced();
  session.streaming = false;
}
