/**
 * Stage one of parsing: where a command begins and ends, with its literals (RFC 3501 4.3, 7888).
 * Nothing here knows grammar, so whatever a command says, the next one starts at its own octet.
 */

import { latin1 } from '#base/bytes.ts';
import type { Upload } from './access.ts';
import type { Completion } from './completion.ts';
import type { Session } from './session.ts';
import type { Piece } from './syntax/cursor.ts';
import { read, type Task } from './task.ts';

export type Frame =
  | { readonly kind: 'command'; readonly pieces: readonly Piece[] }
  /** The command is over, refused, and the stream stands before the next one. */
  | { readonly kind: 'refused'; readonly tag: string; readonly completion: Completion }
  /** The stream cannot be followed any more; the client was told why. */
  | { readonly kind: 'lost' };

/** Where the message of an APPEND goes, or why it is not wanted. */
export type Streamed =
  | {
      readonly kind: 'sink';
      readonly upload: Upload;
      write(bytes: Uint8Array): Task<void>;
      /** All octets were written: why the message cannot be kept, or undefined. */
      finish(): Task<Completion | undefined>;
    }
  | { readonly kind: 'refused'; readonly completion: Completion };

/** Asked at each literal: undefined when it is an ordinary one, for memory. */
export type StreamLiteral = (
  pieces: readonly Piece[],
  sizeBytes: number,
) => Task<Streamed | undefined>;

interface Announced {
  readonly size: number;
  readonly synchronising: boolean;
}

/** Reads one command; literals that are too large are refused, and dropped where they come anyway. */
export function* readCommand(session: Session, stream: StreamLiteral): Task<Frame> {
  const pieces: Piece[] = [];
  const limits = limitsOf(session);
  let lineRoom = limits.line;
  let literalRoom = limits.literal;
  let refusal: Completion | undefined;
  for (;;) {
    const line = yield* readLine(session, lineRoom, pieces.length === 0);
    if (line.kind === 'lost') return line;
    if (line.kind === 'too-long') refusal ??= badLine('The command is too long');
    lineRoom -= Math.min(lineRoom, line.text.length);
    const announced = announcedLiteral(line.text);
    const { text } = announced;
    const { literal } = announced;
    if (literal === undefined || literal.synchronising) {
      if (refusal !== undefined) return refused(pieces, text, refusal);
    }
    if (literal === undefined) {
      pieces.push({ text, literal: undefined });
      return { kind: 'command', pieces };
    }
    let sink: Streamed | undefined;
    if (refusal === undefined) {
      pieces.push({ text, literal: undefined });
      sink = yield* stream(pieces, literal.size);
      pieces.pop();
      if (sink?.kind === 'refused') refusal = sink.completion;
      else if (sink === undefined) {
        const room = { bytes: literalRoom, count: limits.literals - pieces.length };
        refusal = judge(session, literal, room);
      }
    }
    if (refusal !== undefined) {
      if (literal.synchronising) return refused(pieces, text, refusal);
      pieces.push({ text, literal: undefined });
      if (!(yield* swallow(session, literal.size, limits.swallow))) return { kind: 'lost' };
      continue;
    }
    if (literal.synchronising) session.out.text('+ Ready for the literal\r\n');
    if (sink?.kind === 'sink') {
      const { upload } = sink;
      yield* pour(session, literal.size, (bytes) => sink.write(bytes));
      refusal = yield* sink.finish();
      pieces.push({ text, literal: upload });
      continue;
    }
    literalRoom -= literal.size;
    const got = yield* read({ kind: 'octets', count: literal.size }, session.options.literalMs);
    pieces.push({ text, literal: got.kind === 'octets' ? got.bytes : undefined });
  }
}

/** The tag of a command that could not be read; `*` when there is none. */
export function tagOf(text: string): string {
  const tag = /^[^(){ %*"\\+\x00-\x1f\x7f-\xff]{1,100}(?= |$)/.exec(text.slice(0, 101))?.[0];
  return tag ?? '*';
}

type Line =
  | { readonly kind: 'line' | 'too-long'; readonly text: string }
  | { readonly kind: 'lost' };

function* readLine(session: Session, max: number, first: boolean): Task<Line> {
  const { options } = session;
  const waiting = session.who === undefined ? options.loginMs : options.idleMs;
  const got = yield* read({ kind: 'line', max }, first ? waiting : options.literalMs);
  if (got.kind === 'line') return { kind: 'line', text: latin1(got.bytes) };
  if (got.kind === 'bare-lf') return bareLineFeed(session);
  session.tell({ kind: 'violation', what: 'line-too-long' });
  return yield* dropLine(session, max);
}

/** Passes over a long line, remembering its tag and what literal it may announce at its end. */
function* dropLine(session: Session, max: number): Task<Line> {
  let start = '';
  let dropped = 0;
  const most = max + limitsOf(session).swallow;
  for (;;) {
    const want = { kind: 'rest-of-line', max: most - dropped + 1 } as const;
    const got = yield* read(want, session.options.literalMs);
    if (got.kind === 'bare-lf') return bareLineFeed(session);
    if (got.kind !== 'rest') return { kind: 'lost' };
    dropped += got.dropped;
    if (start === '') start = latin1(got.head);
    if (dropped > most) {
      session.bye('The line does not end');
      return { kind: 'lost' };
    }
    // Only the tag and the announcement are kept; the command is refused anyway.
    if (got.ended) return { kind: 'too-long', text: `${tagOf(start)} ${latin1(got.tail)}` };
  }
}

function bareLineFeed(session: Session): { readonly kind: 'lost' } {
  session.tell({ kind: 'violation', what: 'bare-lf' });
  session.bye('Lines end with CR LF, not with LF alone');
  return { kind: 'lost' };
}

/** `{310}` or `{310+}` at the end of a line; what is no number announces nothing. */
function announcedLiteral(line: string): { text: string; literal: Announced | undefined } {
  if (!line.endsWith('}')) return { text: line, literal: undefined };
  const open = line.lastIndexOf('{');
  const found = open < 0 ? null : /^(\d+)(\+?)$/.exec(line.slice(open + 1, -1));
  if (found === null) return { text: line, literal: undefined };
  const size = Number(found[1]);
  return { text: line.slice(0, open), literal: { size, synchronising: found[2] === '' } };
}

function judge(
  session: Session,
  literal: Announced,
  room: { readonly bytes: number; readonly count: number },
): Completion | undefined {
  if (room.count <= 0) return badLine('Too many literals in one command');
  if (literal.size > room.bytes) {
    session.tell({ kind: 'violation', what: 'literal-too-large' });
    return { status: 'BAD', code: 'TOOBIG', text: 'The literal is too large' };
  }
  // RFC 7888 5: before login LITERAL- is what we announce.
  if (session.who === undefined && !literal.synchronising && literal.size > 4_096) {
    return { status: 'BAD', code: 'TOOBIG', text: 'Such a literal has at most 4096 octets' };
  }
  return undefined;
}

/** Reads and drops a literal that comes whether we want it or not; false: too much to drop. */
function* swallow(session: Session, size: number, max: number): Task<boolean> {
  if (size > max) {
    session.tell({ kind: 'violation', what: 'literal-absurd' });
    session.bye('The literal is far too large');
    return false;
  }
  // oxlint-disable-next-line require-yield
  yield* pour(session, size, function* drop() {});
  return true;
}

function* pour(
  session: Session,
  size: number,
  write: (bytes: Uint8Array) => Task<void>,
): Task<void> {
  let left = size;
  while (left > 0) {
    const max = Math.min(left, session.options.sliceBytes);
    const got = yield* read({ kind: 'some', max }, session.options.literalMs);
    if (got.kind !== 'octets') return;
    left -= got.bytes.length;
    yield* write(got.bytes);
  }
}

function limitsOf(session: Session): {
  readonly line: number;
  readonly literal: number;
  readonly literals: number;
  readonly swallow: number;
} {
  const { options, who } = session;
  return who === undefined
    ? {
        line: options.lineBytesBeforeLogin,
        literal: options.literalBytesBeforeLogin,
        literals: options.literals,
        swallow: options.swallowBytesBeforeLogin,
      }
    : {
        line: options.lineBytes,
        literal: options.literalBytes,
        literals: options.literals,
        swallow: options.swallowBytes,
      };
}

function refused(pieces: readonly Piece[], text: string, completion: Completion): Frame {
  discardUploads(pieces);
  return { kind: 'refused', tag: tagOf(pieces[0]?.text ?? text), completion };
}

/** Gives back what was taken in for a command that does not run. */
export function discardUploads(pieces: readonly Piece[]): void {
  for (const { literal } of pieces) {
    if (literal !== undefined && !(literal instanceof Uint8Array)) literal.discard();
  }
}

function badLine(text: string): Completion {
  return { status: 'BAD', text };
}
