/** Answers FETCH: rows in batches, large octets in slices, so that memory stays bounded. */

import type { Uid } from '#base/brand.ts';
import { latin1 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { HEAD_BYTES } from '#base/limits.ts';
import { decodeParts } from '#message/tree.ts';
import type { Detail, MessageDetail, MessageFlags, UidRanges } from '#store/mail.ts';
import { no, type Rejected } from '../completion.ts';
import type { Session } from '../session.ts';
import { rangesOf } from '../syntax/number-set.ts';
import { flush, relieve, store, type Task } from '../task.ts';
import { nameKeywords } from '../telling.ts';
import type { View } from '../view.ts';
import { ATTRIBUTES, FLAG_ATTRIBUTES, formatFlags, type Attribute } from './attributes.ts';
import type { Item } from './items.ts';
import { fieldPicker, isHead, locate, needsParts, type PickFields, type Span } from './section.ts';

/** Rows whose structure has to be read are heavier: fewer at a time. */
const HEAVY_ROWS = 100;
/** So many times the usual rows are read when only their flags are asked for. */
const FLAG_ROWS = 4;

/** A section with what picks its fields when it names some. */
type SectionItem = Extract<Item, { kind: 'section' }> & { readonly pick: PickFields | undefined };

type Format<Row> = (row: Row) => string;

interface Plan {
  readonly attributes: readonly Attribute[];
  /** When rows of flags alone have all that is asked for. */
  readonly ofFlags: readonly Format<MessageFlags>[] | undefined;
  readonly sections: readonly SectionItem[];
  /** Heads of messages, or fields of them, and nothing further in. */
  readonly ofHeads: boolean;
  readonly details: readonly Detail[];
  readonly setsSeen: boolean;
  readonly showsFlags: boolean;
  readonly showsModSeq: boolean;
}

/** One FETCH response for each message in `ranges` that the client knows. */
export function* respond(
  session: Session,
  view: View,
  ranges: UidRanges,
  items: readonly Item[],
): Task<void> {
  const plan = planFor(items, view.readOnly);
  if (plan.ofFlags !== undefined) {
    yield* respondFlags(session, view, ranges, plan, plan.ofFlags);
    return;
  }
  const { batchRows } = session.options;
  const limit = plan.details.length > 0 ? Math.min(HEAVY_ROWS, batchRows) : batchRows;
  let failure: Failure | undefined;
  let left = ranges;
  while (left.length > 0) {
    const now = left;
    const { details } = plan;
    const rows = yield* store(session, (access) =>
      access.messages(view.id, now, { limit, details, expunged: true }),
    );
    const last = rows.at(-1)?.uid;
    // Rows with details are fewer than asked for when they are large.
    const complete = details.length === 0 && rows.length < limit;
    const seen = plan.setsSeen ? yield* markSeen(session, view, rows) : NONE_SEEN;
    if (plan.sections.length === 0) {
      const formats = plan.attributes.map(({ format }) => format);
      writeRows(session, view, rows, formats, plan.showsFlags);
    } else {
      for (const row of rows) {
        if (view.numberOf(row.uid) === 0) continue;
        const nowSeen = seen.get(row.uid);
        if (plan.ofHeads && hasHead(row)) {
          writeHead(session, view, row, plan, nowSeen);
          // As `relieve`, without a generator for each of thousands of small answers.
          if (session.out.size >= session.options.sliceBytes) yield* flush();
        } else {
          const unread = yield* writeWhole(session, view, row, plan, nowSeen);
          failure ??= unread;
        }
        if (session.ending) return;
      }
    }
    yield* relieve(session);
    left = complete || last === undefined ? [] : after(left, last);
  }
  // The others were sent; this one could not be read.
  if (failure !== undefined) throw unreadable(failure);
}

/** The most asked of all: new clients want the flags of whole mailboxes. */
function* respondFlags(
  session: Session,
  view: View,
  ranges: UidRanges,
  plan: Plan,
  formats: readonly Format<MessageFlags>[],
): Task<void> {
  const limit = FLAG_ROWS * session.options.batchRows;
  let left = ranges;
  while (left.length > 0) {
    const now = left;
    const rows = yield* store(session, (access) => access.flags(view.id, now, limit));
    writeRows(session, view, rows, formats, plan.showsFlags);
    yield* relieve(session);
    const last = rows.at(-1)?.uid;
    left = rows.length < limit || last === undefined ? [] : after(left, last);
  }
}

function planFor(items: readonly Item[], readOnly: boolean): Plan {
  const attributes: Attribute[] = [];
  const sections: SectionItem[] = [];
  const details = new Set<Detail>();
  const names = new Set<string>();
  for (const item of items) {
    if (item.kind === 'section') {
      const { section } = item;
      const pick = section.names.size > 0 ? fieldPicker(section) : undefined;
      sections.push({ ...item, pick });
      if (needsParts(section)) details.add('parts');
      continue;
    }
    const attribute = ATTRIBUTES.get(item.name);
    // Twice the same item is shown once.
    if (attribute === undefined || names.has(item.name)) continue;
    names.add(item.name);
    attributes.push(attribute);
    if (attribute.detail !== undefined) details.add(attribute.detail);
  }
  const formats = [...names].flatMap((name) => FLAG_ATTRIBUTES.get(name) ?? []);
  const isOfFlags = sections.length === 0 && formats.length === names.size;
  // Where a body is read the head comes along with it.
  const ofHeads = sections.length > 0 && sections.every(({ section }) => isHead(section));
  if (ofHeads) details.add('head');
  return {
    attributes,
    ofFlags: isOfFlags ? formats : undefined,
    ofHeads,
    sections,
    details: [...details],
    setsSeen: !readOnly && sections.some((item) => !item.peek),
    showsFlags: names.has('FLAGS'),
    showsModSeq: names.has('MODSEQ'),
  };
}

/** The hot path: one string for a whole batch. */
function writeRows<Row extends MessageFlags>(
  session: Session,
  view: View,
  rows: readonly Row[],
  formats: readonly Format<Row>[],
  showsFlags: boolean,
): void {
  let text = '';
  for (const row of rows) {
    const number = view.numberOf(row.uid);
    // Expunged and told already, or arrived since: nothing that this client has a number for.
    if (number === 0) continue;
    if (showsFlags) nameKeywords(session, row.flags);
    text += `* ${number} FETCH (`;
    let separator = '';
    for (const format of formats) {
      text += separator + format(row);
      separator = ' ';
    }
    text += ')\r\n';
  }
  session.out.text(text);
}

/** Flags as they are after \Seen was set. */
type NowSeen = Pick<MessageDetail, 'flags' | 'modSeq'>;

const NONE_SEEN: ReadonlyMap<number, NowSeen> = new Map();

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
): Task<Failure | undefined> {
  const reply: Reply = { pending: '', started: false };
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
  const root = row.parts === undefined ? undefined : decodeParts(row.parts);
  for (const item of plan.sections) {
    reply.pending += `${separator}${item.label} `;
    separator = ' ';
    const span = locate(item.section, row, root);
    if (span === undefined) reply.pending += 'NIL';
    else if (item.pick !== undefined) {
      const head = yield* headOf(session, row, span);
      writeFields(session, item.pick(head), item.partial, reply);
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
  const current = nowSeen === undefined ? row : { ...row, ...nowSeen };
  if (plan.showsFlags || nowSeen !== undefined) nameKeywords(session, current.flags);
  const fields = plan.attributes.map((attribute) => attribute.format(current));
  if (nowSeen !== undefined) {
    if (!plan.showsFlags) fields.push(`FLAGS ${formatFlags(current.flags)}`);
    if (session.condstore && !plan.showsModSeq) fields.push(`MODSEQ (${current.modSeq})`);
  }
  const text = `* ${view.numberOf(row.uid)} FETCH (${fields.join(' ')}`;
  return { text, separator: fields.length > 0 ? ' ' : '' };
}

/** A message of which only the head is asked for, and which has it along: nothing to wait for. */
function writeHead(
  session: Session,
  view: View,
  row: MessageDetail & { readonly head: Uint8Array },
  plan: Plan,
  nowSeen: NowSeen | undefined,
): void {
  const start = beginning(session, view, row, plan, nowSeen);
  let { text } = start;
  let { separator } = start;
  for (const { label, pick, partial } of plan.sections) {
    const all = pick === undefined ? latin1(row.head) : pick(row.head);
    const { from, length } = cut({ from: 0, length: all.length }, partial);
    text += `${separator}${label} {${length}}\r\n${all.slice(from, from + length)}`;
    separator = ' ';
  }
  session.out.text(`${text})\r\n`);
}

function send(session: Session, reply: Reply, text: string): void {
  session.out.text(reply.pending + text);
  reply.pending = '';
  reply.started = true;
}

/** The header that fields are picked from; of a longer one (inside the message) its beginning. */
function headOf(session: Session, row: MessageDetail, span: Span): Task<Uint8Array> {
  return octetsOf(session, row, span.from, Math.min(span.length, HEAD_BYTES));
}

/** Header fields, already picked; cut as was asked. */
function writeFields(
  session: Session,
  fields: string,
  partial: SectionItem['partial'],
  reply: Reply,
): void {
  const { from: start, length: count } = cut({ from: 0, length: fields.length }, partial);
  const text = count === fields.length ? fields : fields.slice(start, start + count);
  send(session, reply, `{${count}}\r\n${text}`);
}

/** A literal in slices: its length is promised when the first of them has been read. */
function* writeOctets(session: Session, row: MessageDetail, span: Span, reply: Reply): Task<void> {
  const { sliceBytes } = session.options;
  let { from, length: left } = span;
  if (left === 0) send(session, reply, '{0}\r\n');
  while (left > 0) {
    const octets = yield* octetsOf(session, row, from, Math.min(left, sliceBytes));
    if (left === span.length) send(session, reply, `{${span.length}}\r\n`);
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
): Task<Uint8Array> {
  const octets = yield* store(session, (access) => access.octets(row, from, count));
  if (octets.length === 0 && count > 0) {
    throw Failure.temporary('no-octets', 'the message is gone');
  }
  return octets;
}

function hasHead(row: MessageDetail): row is MessageDetail & { readonly head: Uint8Array } {
  return row.head !== undefined;
}

function cut(span: Span, partial: SectionItem['partial']): Span {
  if (partial === undefined) return span;
  const skipped = Math.min(partial.from, span.length);
  return { from: span.from + skipped, length: Math.min(partial.length, span.length - skipped) };
}

/** RFC 5530 3: CORRUPTION when it will not get better. */
function unreadable(failure: Failure): Rejected {
  const code = failure.kind === 'permanent' ? 'CORRUPTION' : 'UNAVAILABLE';
  return no(code, 'A message could not be read');
}

/** What is left of ranges above a UID. */
function after(ranges: UidRanges, uid: Uid): UidRanges {
  return ranges
    .filter(([, to]) => to > uid)
    .map(([from, to]): readonly [number, number] => [Math.max(from, uid + 1), to]);
}
