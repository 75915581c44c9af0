/** Answers FETCH message by message: octets, structures, and messages that get \\Seen by it. */

import { concat, latin1 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { HEAD_BYTES } from '#base/limits.ts';
import { decodeParts } from '#message/tree.ts';
import type { MessageDetail, UidRanges } from '#store/mail.ts';
import { Output } from '../output.ts';
import type { Session } from '../session.ts';
import { rangesAfter, rangesOf } from '../syntax/number-set.ts';
import { flush, relieve, store, type Task } from '../task.ts';
import { nameKeywords } from '../telling.ts';
import type { View } from '../view.ts';
import { readAhead, type Wholes } from './ahead.ts';
import { writeAttributes, writeFlags, writeModSeq } from './attributes.ts';
import { writeFields } from './literal.ts';
import type { Plan } from './plan.ts';
import { cut, locate, needsParts, type Span } from './section.ts';

/** Rows whose structure has to be read are heavier: fewer at a time. */
const HEAVY_ROWS = 100;

/**
 * One FETCH response for each message in `ranges` that the client knows; returns why one of them
 * could not be read.
 */
export function* respondWhole(
  session: Session,
  view: View,
  ranges: UidRanges,
  plan: Plan,
): Task<Failure | undefined> {
  const { batchRows } = session.options;
  const { details } = plan;
  const limit = details.length > 0 ? Math.min(HEAVY_ROWS, batchRows) : batchRows;
  let failure: Failure | undefined;
  let left = ranges;
  while (left.length > 0) {
    const now = left;
    const rows = yield* store(session, (access) =>
      access.messages(view.id, now, { limit, details, expunged: true }),
    );
    const last = rows.at(-1)?.uid;
    // Rows with details are fewer than asked for when they are large.
    const complete = details.length === 0 && rows.length < limit;
    const seen = plan.setsSeen ? yield* markSeen(session, view, rows) : NONE_SEEN;
    let wholes: Wholes = NO_WHOLES;
    for (const [at, row] of rows.entries()) {
      if (view.numberOf(row.uid) === 0) continue;
      if (plan.sections.length > 0 && !wholes.has(row.uid)) {
        wholes = yield* readAhead(session, rows, at);
      }
      const whole = wholes.get(row.uid);
      const unread = yield* writeWhole(session, view, row, plan, seen.get(row.uid), whole);
      failure ??= unread;
      if (session.ending) return undefined;
    }
    yield* relieve(session);
    left = complete || last === undefined ? [] : rangesAfter(left, last);
  }
  return failure;
}

/** Flags as they are after \Seen was set. */
type NowSeen = Pick<MessageDetail, 'flags' | 'modSeq'>;

const NONE_SEEN: ReadonlyMap<number, NowSeen> = new Map();
const NO_WHOLES: Wholes = new Map();

/** BODY[] without PEEK sets \Seen first; returns the flags that changed, to be shown (6.4.5). */
function* markSeen(
  session: Session,
  view: View,
  rows: readonly MessageDetail[],
): Task<ReadonlyMap<number, NowSeen>> {
  const unseen = rows.filter((row) => !row.flags.includes('\\Seen') && !view.isGone(row.uid));
  if (unseen.length === 0) return NONE_SEEN;
  const uids = rangesOf(unseen.filter((row) => view.numberOf(row.uid) > 0).map((row) => row.uid));
  try {
    const { result } = yield* store(session, (access) =>
      access.write('storeFlags', { mailbox: view.id, uids, mode: 'add', flags: ['\\Seen'] }),
    );
    if (result.kind !== 'stored') return NONE_SEEN;
    for (const change of result.changed) view.told.set(change.uid, change.modSeq);
    return new Map(result.changed.map((change) => [change.uid, change]));
  } catch (thrown) {
    // A full disk must not keep anyone from reading: the message is shown, unseen.
    if (!(thrown instanceof Failure)) throw thrown;
    return NONE_SEEN;
  }
}

/** A response as far as it is known but not sent: nothing goes out before its octets are there. */
interface Reply {
  pending: string;
  started: boolean;
  /** All octets of the message, when they were read ahead. */
  readonly whole: Uint8Array | undefined;
}

/**
 * Writes one message; returns why it could not be read, when nothing of it went out. A store
 * that fails in the middle of a response leaves nothing to say (see `abort`).
 */
function* writeWhole(
  session: Session,
  view: View,
  row: MessageDetail,
  plan: Plan,
  nowSeen: NowSeen | undefined,
  whole: Uint8Array | undefined,
): Task<Failure | undefined> {
  const reply: Reply = { pending: '', started: false, whole };
  try {
    yield* writeMessage(session, view, row, plan, nowSeen, reply);
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    if (!reply.started) return thrown;
    session.abort();
    return undefined;
  }
}

function* writeMessage(
  session: Session,
  view: View,
  row: MessageDetail,
  plan: Plan,
  nowSeen: NowSeen | undefined,
  reply: Reply,
): Task<void> {
  const start = beginning(session, view, row, plan, nowSeen);
  reply.pending = start.text;
  let { separator } = start;
  const isInside = plan.sections.some(({ section }) => needsParts(section));
  const root = !isInside || row.parts === undefined ? undefined : decodeParts(row.parts);
  for (const item of plan.sections) {
    reply.pending += `${separator}${item.label}`;
    separator = ' ';
    const span = locate(item.section, row, root);
    if (span === undefined) reply.pending += ' NIL';
    else if (item.pick !== undefined) {
      const head = yield* headOf(session, row, span, reply);
      send(session, reply, '');
      writeFields(session.out, head, item.pick(head), item.partial);
    } else yield* writeOctets(session, row, cut(span, item.partial), reply);
  }
  send(session, reply, ')\r\n');
  yield* relieve(session);
}

/** What comes before the sections, and what stands between it and the first of them. */
function beginning(
  session: Session,
  view: View,
  row: MessageDetail,
  plan: Plan,
  nowSeen: NowSeen | undefined,
): { readonly text: string; readonly separator: string } {
  const start = `* ${view.numberOf(row.uid)} FETCH (`;
  if (plan.attributes.length === 0 && nowSeen === undefined) return { text: start, separator: '' };
  const current = nowSeen === undefined ? row : { ...row, ...nowSeen };
  if (plan.showsFlags || nowSeen !== undefined) nameKeywords(session, current.flags);
  const fields = new Output();
  let separator = writeAttributes(fields, plan.attributes, current);
  if (nowSeen !== undefined && !plan.showsFlags) {
    fields.text(separator);
    writeFlags(fields, current.flags);
    separator = ' ';
  }
  if (nowSeen !== undefined && session.condstore && !plan.showsModSeq) {
    fields.text(' ');
    writeModSeq(fields, current.modSeq);
  }
  return { text: start + latin1(concat(fields.take())), separator };
}

function send(session: Session, reply: Reply, text: string): void {
  session.out.text(reply.pending + text);
  reply.pending = '';
  reply.started = true;
}

/** The header that fields are picked from; of a longer one (inside the message) its beginning. */
function headOf(session: Session, row: MessageDetail, span: Span, reply: Reply): Task<Uint8Array> {
  return octetsOf(session, row, span.from, Math.min(span.length, HEAD_BYTES), reply);
}

/** A literal in slices: its length is promised when the first of them has been read. */
function* writeOctets(session: Session, row: MessageDetail, span: Span, reply: Reply): Task<void> {
  const { sliceBytes } = session.options;
  let { from, length: left } = span;
  if (left === 0) send(session, reply, ' {0}\r\n');
  while (left > 0) {
    const octets = yield* octetsOf(session, row, from, Math.min(left, sliceBytes), reply);
    if (left === span.length) send(session, reply, ` {${span.length}}\r\n`);
    session.out.bytes(octets);
    from += octets.length;
    left -= octets.length;
    if (left > 0) yield* flush();
  }
}

/** Octets that must be there. */
function* octetsOf(
  session: Session,
  row: MessageDetail,
  from: number,
  count: number,
  { whole }: Reply,
): Task<Uint8Array> {
  if (whole !== undefined) return whole.subarray(from, from + count);
  const octets = yield* store(session, (access) => access.octets(row, from, count));
  if (octets.length === 0 && count > 0) {
    throw Failure.temporary('no-octets', 'the message is gone');
  }
  return octets;
}
