/** Answers FETCH: rows in batches, large octets in slices, so that memory stays bounded. */

import type { Failure } from '#base/failure.ts';
import type { MessageSummary, SummaryPart, UidRanges } from '#store/mail.ts';
import { no, type Rejected } from '../completion.ts';
import type { Output } from '../output.ts';
import type { Session } from '../session.ts';
import { rangesAfter } from '../syntax/number-set.ts';
import { flush, relieve, store, type Task } from '../task.ts';
import { nameKeywords } from '../telling.ts';
import type { View } from '../view.ts';
import { writeAttributes } from './attributes.ts';
import type { Item } from './items.ts';
import { planFor, type Plan, type SectionItem } from './plan.ts';
import { cut } from './section.ts';
import { writeFields, writeLength } from './literal.ts';
import { respondWhole } from './whole.ts';

/** So many times the usual rows are read when no octets come along. */
const BARE_ROWS = 4;
/** Rows whose octets are large: the store then brings more of each. */
const LARGE_ROWS = 64;

/** One FETCH response for each message in `ranges` that the client knows. */
export function* respond(
  session: Session,
  view: View,
  ranges: UidRanges,
  items: readonly Item[],
): Task<void> {
  const plan = planFor(items, view.readOnly);
  const { summary } = plan;
  const failure =
    summary === undefined
      ? yield* respondWhole(session, view, ranges, plan)
      : yield* respondInShort(session, view, ranges, plan, summary);
  // The others were sent; this one could not be read.
  if (failure !== undefined) throw unreadable(failure);
}

/**
 * What clients ask whole mailboxes for: flags, envelopes, fields of headers. Returns why a message
 * could not be read.
 */
function* respondInShort(
  session: Session,
  view: View,
  ranges: UidRanges,
  plan: Plan,
  parts: readonly SummaryPart[],
): Task<Failure | undefined> {
  const { batchRows, sliceBytes } = session.options;
  const { fields } = plan;
  const usual = hasOctets(parts) ? batchRows : BARE_ROWS * batchRows;
  let limit = usual;
  let failure: Failure | undefined;
  let left = ranges;
  while (left.length > 0) {
    const now = left;
    const rows = yield* store(session, (access) =>
      access.summaries(view.id, now, { limit, parts, fields }),
    );
    let number = 0;
    let large = 0;
    let named: readonly string[] | undefined;
    for (const row of rows) {
      number = view.numberOf(row.uid, number);
      // Expunged and told already, or arrived since: nothing that this client has a number for.
      if (number === 0) continue;
      if (!row.lacking) {
        if (plan.showsFlags && row.flags !== named) nameKeywords(session, row.flags);
        named = row.flags;
        writeSummary(session.out, number, row, plan);
        // As `relieve`, without a generator for each of thousands of small answers.
        if (session.out.size >= sliceBytes) yield* flush();
      } else {
        large += 1;
        const unread = yield* respondWhole(session, view, [[row.uid, row.uid]], plan);
        failure ??= unread;
      }
      if (session.ending) return undefined;
    }
    yield* relieve(session);
    const last = rows.at(-1)?.uid;
    left = rows.length < limit || last === undefined ? [] : rangesAfter(left, last);
    limit = large * 4 > rows.length ? Math.min(usual, LARGE_ROWS) : usual;
  }
  return failure;
}

function hasOctets(parts: readonly SummaryPart[]): boolean {
  return parts.some((part) => part === 'head' || part === 'envelope' || part === 'bodyStructure');
}

function writeSummary(out: Output, number: number, row: MessageSummary, plan: Plan): void {
  out.text('* ');
  out.number(number);
  out.text(' FETCH (');
  let separator = writeAttributes(out, plan.attributes, row);
  for (const section of plan.sections) {
    out.text(separator);
    writeHead(out, row.head, section, plan.fields === undefined);
    separator = ' ';
  }
  out.text(')\r\n');
}

/** A head, or fields of it, which may have been picked already: nothing to wait for. */
function writeHead(out: Output, head: Uint8Array, section: SectionItem, isWhole: boolean): void {
  const { octets, pick, partial } = section;
  out.copy(octets);
  if (pick !== undefined && isWhole) {
    writeFields(out, head, pick(head), partial);
    return;
  }
  const { from, length } = cut({ from: 0, length: head.length }, partial);
  writeLength(out, length);
  out.copy(head, from, from + length);
}

/** RFC 5530 3: CORRUPTION when it will not get better. */
function unreadable(failure: Failure): Rejected {
  const code = failure.kind === 'permanent' ? 'CORRUPTION' : 'UNAVAILABLE';
  return no(code, 'A message could not be read');
}
