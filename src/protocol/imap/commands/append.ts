/** APPEND (RFC 3501 6.3.11): the message goes to the store as it comes; APPENDUID (RFC 4315). */

import { Failure } from '#base/failure.ts';
import type { Upload } from '../access.ts';
import { LOGGED_IN, type Command } from '../command.ts';
import { Rejected, failedCompletion, no, ok, type Completion } from '../completion.ts';
import { LineEnds } from '../line-ends.ts';
import { readMailbox } from '../mailbox-name.ts';
import { findTarget } from '../open.ts';
import type { Session } from '../session.ts';
import type { Cursor } from '../syntax/cursor.ts';
import { readDateTime } from '../syntax/date.ts';
import { readFlagList } from '../syntax/flags.ts';
import { store, type Task } from '../task.ts';

interface Heading {
  readonly name: string;
  readonly flags: readonly string[];
  readonly dateMs: number | undefined;
}

export const append: Command<Heading & { readonly upload: Upload }> = {
  name: 'APPEND',
  phases: LOGGED_IN,
  news: 'if-any',
  parse(cursor, session) {
    return { ...readHeading(cursor, session), upload: cursor.upload() };
  },

  *run(session, { name, flags, dateMs, upload }) {
    const mailbox = yield* findTarget(session, name);
    const outcome = yield* store(session, () => upload.append(mailbox, flags, dateMs));
    if (outcome.kind === 'refused') throw no('CANNOT', outcome.why);
    const { result } = outcome.written;
    if (result.kind === 'no-such-mailbox') throw no('TRYCREATE', 'There is no such mailbox');
    // RFC 3501 6.3.11: a message in the selected mailbox is told at once.
    if (session.view?.id === mailbox) session.dirty = true;
    return ok('APPEND completed', `APPENDUID ${result.uidValidity} ${result.uids.join(',')}`);
  },

  *stream(session, cursor, sizeBytes) {
    // The name may be a literal itself: then what we have does not reach to the message.
    const heading = probe(cursor, session);
    if (heading === undefined || !cursor.atEnd()) return undefined;
    const { messageBytes } = session.options;
    if (sizeBytes > messageBytes) {
      throw no('TOOBIG', `A message has at most ${messageBytes} octets`);
    }
    if (sizeBytes === 0) throw no('CANNOT', 'A message is not empty');
    // Before the octets come: RFC 3501 6.3.11 asks for TRYCREATE.
    yield* findTarget(session, heading.name);
    const upload = yield* store(session, (access) => access.upload(sizeBytes));
    return { kind: 'sink', upload, ...sinkTo(session, upload) };
  },
};

/** A heading that does not parse yet is for the second stage to judge; refusals stand. */
function probe(cursor: Cursor, session: Session): Heading | undefined {
  try {
    return readHeading(cursor, session);
  } catch (thrown) {
    if (thrown instanceof Rejected && thrown.completion.status === 'BAD') return undefined;
    throw thrown;
  }
}

/** ` name [(flags)] ["date"] ` up to the message. */
function readHeading(cursor: Cursor, session: Session): Heading {
  cursor.space();
  const name = readMailbox(cursor, session.options);
  cursor.space();
  let flags: readonly string[] = [];
  let dateMs: number | undefined;
  if (cursor.peek() === '(') {
    flags = readFlagList(cursor, session.options.listItems);
    cursor.space();
  }
  if (cursor.peek() === '"') {
    dateMs = readDateTime(cursor);
    cursor.space();
  }
  return { name, flags, dateMs };
}

/** Line ends are repaired on the way in; a failure is kept until the last octet has come. */
function sinkTo(
  session: Session,
  upload: Upload,
): { write(bytes: Uint8Array): Task<void>; finish(): Task<Completion | undefined> } {
  const ends = new LineEnds();
  let failure: Failure | undefined;
  function* pass(bytes: Uint8Array): Task<void> {
    if (failure !== undefined || bytes.length === 0) return;
    try {
      yield* store(session, () => upload.write(bytes));
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown;
      failure = thrown;
    }
  }
  return {
    write: (bytes) => pass(ends.repair(bytes)),
    *finish() {
      yield* pass(ends.finish());
      return failure === undefined ? undefined : failedCompletion(failure);
    },
  };
}
