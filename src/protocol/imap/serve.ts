/** A session from greeting to goodbye: read a command, run it, tell the news, complete it. */

import { Failure } from '#base/failure.ts';
import { isForeign } from '../foreign.ts';
import { capabilities } from './capabilities.ts';
import type { Command } from './command.ts';
import * as registry from './commands/index.ts';
import { Rejected, failedCompletion, formatCompletion, type Completion } from './completion.ts';
import { discardUploads, readCommand, tagOf, type Frame, type Streamed } from './framing.ts';
import type { Session } from './session.ts';
import { Cursor, type Piece } from './syntax/cursor.ts';
import { relieve, type Task } from './task.ts';
import { tellNews } from './telling.ts';

const COMMANDS: ReadonlyMap<string, Command<unknown>> = new Map(
  Object.values(registry).map((command: Command<unknown>) => [command.name, command]),
);

export function* serve(session: Session): Task<void> {
  session.out.text(`* OK [CAPABILITY ${capabilities(session)}] IMAP4rev1 service ready\r\n`);
  while (!session.ending) {
    const frame = yield* readCommand(session, (pieces, size) => stream(session, pieces, size));
    if (frame.kind === 'lost') return;
    if (session.who === undefined && frame.kind !== 'refused') {
      if (isForeign(frame.pieces[0]?.text ?? '')) {
        session.bye('This is IMAP');
        return;
      }
    }
    yield* perform(session, frame);
    yield* relieve(session);
    if (session.errors > session.options.errors) session.bye('Too many errors');
    const before = session.who === undefined && session.commands;
    if (!session.ending && before !== false && before > session.options.commandsBeforeLogin) {
      session.bye('Too many commands without a login');
    }
  }
}

interface Found {
  readonly tag: string;
  readonly command: Command<unknown>;
}

/** One command; whatever it throws but a bug becomes its completion. */
function* perform(session: Session, frame: Exclude<Frame, { kind: 'lost' }>): Task<void> {
  session.commands++;
  if (frame.kind === 'refused') {
    finish(session, frame.tag, '?', frame.completion);
    return;
  }
  const { pieces } = frame;
  let tag = tagOf(pieces[0]?.text ?? '');
  let name = '?';
  let completion: Completion | undefined;
  try {
    const cursor = new Cursor(pieces);
    const found = find(session, cursor);
    ({ tag } = found);
    ({ name } = found.command);
    const { command } = found;
    const args = command.parse(cursor, session);
    cursor.end();
    const result = command.run(session, args, tag);
    completion = 'status' in result ? result : yield* result;
    const { news } = command;
    if (news !== 'none') yield* tellNews(session, news !== 'no-expunge', news === 'always');
  } catch (thrown) {
    completion = completionOf(thrown);
  } finally {
    discardUploads(pieces);
  }
  if (completion !== undefined) finish(session, tag, name, completion);
}

/** Reads tag and name; checks that the command is for this phase. */
function find(session: Session, cursor: Cursor): Found {
  const tag = cursor.tag();
  cursor.space();
  let name = cursor.keyword();
  if (name === 'UID') {
    cursor.space();
    name = `UID ${cursor.keyword()}`;
  }
  const command = COMMANDS.get(name);
  if (command === undefined) throw new Rejected({ status: 'BAD', text: 'Unknown command' });
  if (!command.phases.includes(session.phase)) {
    throw new Rejected({ status: 'BAD', text: WRONG_PHASE[session.phase] });
  }
  return { tag, command };
}

const WRONG_PHASE = {
  unauthenticated: 'Log in first',
  authenticated: 'Not now: no mailbox is selected, or the login is done',
  selected: 'Not now: the login is done',
};

/** The message of an APPEND goes to the store as it comes; every other literal to memory. */
function* stream(
  session: Session,
  pieces: readonly Piece[],
  sizeBytes: number,
): Task<Streamed | undefined> {
  // Cheap for everyone else: only a command with a `stream` is looked at more closely.
  const name = /^[^ ]+ ([A-Za-z]+) /.exec(pieces[0]?.text.slice(0, 200) ?? '')?.[1];
  const command = name === undefined ? undefined : COMMANDS.get(name.toUpperCase());
  if (command?.stream === undefined || !command.phases.includes(session.phase)) return undefined;
  try {
    const cursor = new Cursor(pieces);
    find(session, cursor);
    return yield* command.stream(session, cursor, sizeBytes);
  } catch (thrown) {
    return { kind: 'refused', completion: completionOf(thrown) };
  }
}

function completionOf(thrown: unknown): Completion {
  if (thrown instanceof Rejected) return thrown.completion;
  if (!(thrown instanceof Failure)) throw thrown;
  return failedCompletion(thrown);
}

function finish(session: Session, tag: string, command: string, completion: Completion): void {
  session.out.text(formatCompletion(tag, completion));
  if (completion.status === 'BAD') session.errors++;
  session.tell({ kind: 'completed', command, status: completion.status });
}
