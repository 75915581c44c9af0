/** Whether a message matches: cheap keys first, octets only where nothing else decides. */

import { foldText } from '#message/search-text.ts';
import type { Detail, MessageDetail, UidRanges } from '#store/mail.ts';

import { dayOf, dayOfField } from '../syntax/date.ts';
import { inRanges } from '../syntax/number-set.ts';
import type { Session } from '../session.ts';
import type { Task } from '../task.ts';
import type { View } from '../view.ts';
import { headHas, messageHas } from './content.ts';
import type { Compare, Key, TextField } from './keys.ts';

/** A key made ready for one mailbox: sets resolved, the dearest parts last. */
export type Test =
  | { readonly cost: 0; matches(row: MessageDetail): boolean }
  | { readonly cost: 1; matches(row: MessageDetail): Task<boolean> };

export interface Compiled {
  readonly test: Test;
  readonly details: readonly Detail[];
  /** UIDs that can match at all, where the keys say so: the rest need not be read. */
  readonly ranges: UidRanges;
  /** All of them do: nothing has to be read. */
  readonly decided: boolean;
}

/** Where messages can be that hold a text; what is not in it can be anywhere. */
export type Places = ReadonlyMap<string, UidRanges>;

/** Resolves sets against the view (BAD for a message number that is not there). */
export function compile(session: Session, view: View, key: Key, places: Places): Compiled {
  const details = new Set<Detail>();
  const test = compileKey({ session, view, details, places, folded: folder() }, key);
  const decided = key.kind === 'all' || key.kind === 'numbers' || key.kind === 'uids';
  return { test, details: [...details], ranges: rangesFor(view, key, places), decided };
}

/** The texts that keys look for, each once, at most `limit`. */
export function textsOf(key: Key, limit: number): readonly string[] {
  const texts = new Set<string>();
  const waiting: Key[] = [key];
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    if ('text' in one) texts.add(one.text);
    else if (one.kind === 'and' || one.kind === 'or') waiting.push(...one.keys);
    else if (one.kind === 'not') waiting.push(one.key);
    if (texts.size === limit) break;
  }
  return [...texts];
}

interface Context {
  readonly session: Session;
  readonly view: View;
  readonly details: Set<Detail>;
  readonly places: Places;
  /** A field ready to be compared: folded once a message, however many keys look at it. */
  folded(row: MessageDetail, field: TextField): string;
}

function folder(): Context['folded'] {
  const texts = new Map<TextField, string>();
  let current: MessageDetail | undefined;
  return (row, field) => {
    if (row !== current) texts.clear();
    current = row;
    let text = texts.get(field);
    if (text === undefined) {
      text = foldText(row.search?.[field] ?? '');
      texts.set(field, text);
    }
    return text;
  };
}

const cheap = (matches: (row: MessageDetail) => boolean): Test => ({ cost: 0, matches });

function compileKey(context: Context, key: Key): Test {
  const { session, view, details, places } = context;
  switch (key.kind) {
    case 'and':
      return junction(
        key.keys.map((one) => compileKey(context, one)),
        false,
      );
    case 'or':
      return junction(
        key.keys.map((one) => compileKey(context, one)),
        true,
      );
    case 'not':
      return negation(compileKey(context, key.key));
    case 'all':
      return cheap(() => true);
    case 'none':
      return cheap(() => false);
    case 'numbers':
    case 'uids': {
      const ranges =
        key.kind === 'uids' ? view.rangesOfUids(key.set) : view.rangesOfNumbers(key.set);
      return cheap((row) => inRanges(ranges, row.uid));
    }
    case 'flag':
      return cheap((row) => hasFlag(row.flags, key.flag) === key.set);
    case 'larger':
      return cheap((row) => row.sizeBytes > key.bytes);
    case 'smaller':
      return cheap((row) => row.sizeBytes < key.bytes);
    case 'modseq':
      return cheap((row) => row.modSeq >= key.modSeq);
    case 'arrived':
      return cheap((row) => compareDays(dayOf(row.internalDateMs), key.compare, key.day));
    case 'sent':
      details.add('envelope').add('search');
      return cheap((row) => compareDays(sentDay(row), key.compare, key.day));
    case 'field':
      details.add('search');
      return cheap((row) => context.folded(row, key.field).includes(key.text));
    case 'header':
      return within(places.get(key.text), (row) => headHas(session, row, key.name, key.text));
    case 'body':
    case 'text':
      details.add('parts');
      return within(places.get(key.text), (row) =>
        messageHas(session, row, key.text, key.kind === 'text'),
      );
  }
}

/** Octets are read only where the text can be. */
function within(places: UidRanges | undefined, reads: (row: MessageDetail) => Task<boolean>): Test {
  if (places === undefined) return { cost: 1, matches: reads };
  return {
    cost: 1,
    *matches(row) {
      return inRanges(places, row.uid) && (yield* reads(row));
    },
  };
}

function junction(tests: readonly Test[], any: boolean): Test {
  const sorted = [...tests].sort((a, b) => a.cost - b.cost);
  const simple = sorted.filter((test) => test.cost === 0);
  const decides = (row: MessageDetail): boolean =>
    any ? simple.some((test) => test.matches(row)) : !simple.every((test) => test.matches(row));
  if (simple.length === sorted.length) {
    return cheap(any ? decides : (row) => !decides(row));
  }
  return {
    cost: 1,
    *matches(row) {
      if (decides(row)) return any;
      for (const test of sorted) {
        if (test.cost === 1 && (yield* test.matches(row)) === any) return any;
      }
      return !any;
    },
  };
}

function negation(test: Test): Test {
  if (test.cost === 0) return cheap((row) => !test.matches(row));
  return {
    cost: 1,
    *matches(row) {
      return !(yield* test.matches(row));
    },
  };
}

/** Keywords compare without case (RFC 3501 2.3.2 leaves it open; `$Junk` is `$junk`). */
function hasFlag(flags: readonly string[], folded: string): boolean {
  for (const flag of flags) {
    if (flag.length === folded.length && flag.toLowerCase() === folded) return true;
  }
  return false;
}

function compareDays(day: number | undefined, compare: Compare, wanted: number): boolean {
  if (day === undefined) return false;
  if (compare === 'before') return day < wanted;
  return compare === 'on' ? day === wanted : day >= wanted;
}

/** The day that stands in the Date field; in UTC only when its text is no help. */
function sentDay(row: MessageDetail): number | undefined {
  const quoted = row.envelope && /^\("([^"\\]{1,100})"/.exec(row.envelope);
  const day = quoted?.[1] === undefined ? undefined : dayOfField(quoted[1]);
  if (day !== undefined) return day;
  const sentMs = row.search?.sentMs;
  return sentMs === undefined ? undefined : dayOf(sentMs);
}

/** Sets and texts that must hold narrow what is read; everything else is judged row by row. */
function rangesFor(view: View, key: Key, places: Places): UidRanges {
  let smallest: UidRanges = view.exists === 0 ? [] : view.rangesOfNumbers([[1, view.exists]]);
  for (const one of key.kind === 'and' ? key.keys : [key]) {
    const ranges = rangesOf(view, one, places);
    if (ranges !== undefined && view.count(ranges) < view.count(smallest)) smallest = ranges;
  }
  return smallest;
}

function rangesOf(view: View, key: Key, places: Places): UidRanges | undefined {
  if (key.kind === 'uids') return view.rangesOfUids(key.set);
  if (key.kind === 'numbers') return view.rangesOfNumbers(key.set);
  return 'text' in key ? places.get(key.text) : undefined;
}
