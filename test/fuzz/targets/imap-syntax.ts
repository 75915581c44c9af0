/** The small languages inside IMAP: mailbox names, sets, search keys, items, dates, patterns. */

import { fromLatin1, latin1 } from '#base/bytes.ts';
import { Rejected } from '#protocol/imap/completion.ts';
import { readItems } from '#protocol/imap/fetch/items.ts';
import { formatAString, formatNString, formatString } from '#protocol/imap/format/string.ts';
import { decodeName, encodeName, formatMailbox, readMailbox } from '#protocol/imap/mailbox-name.ts';
import { IMAP_DEFAULTS } from '#protocol/imap/options.ts';
import { readKeys } from '#protocol/imap/search/keys.ts';
import { Cursor } from '#protocol/imap/syntax/cursor.ts';
import { dayOfField, formatDateTime, readDate, readDateTime } from '#protocol/imap/syntax/date.ts';
import { readFlagList, readFlags } from '#protocol/imap/syntax/flags.ts';
import {
  formatSet,
  inRanges,
  readNumberSet,
  resolveSet,
} from '#protocol/imap/syntax/number-set.ts';
import { matchesPattern } from '#protocol/imap/wildcard.ts';
import { parseUtf8 } from '#base/bytes.ts';
import { Chance } from '../chance.ts';
import { corpus } from '../corpus.ts';
import { expand } from '../grammar.ts';
import { fields, must, same, type Target } from '../target.ts';

const RULES = {
  start: ['{name}\x1f{pattern}', '{set}', '{keys}', '{items}', '{flags}', '{date}', '{name}'],
  name: [
    'INBOX',
    'a/b',
    '&AOk-',
    '&-',
    '&',
    '&AGE-',
    '&Jjo',
    '&ZeVnLIqe-',
    '"x y"',
    'inbox/x',
    '&2D3eAA-',
    '&2D0-',
    'a//b',
    '\xc3\xa9',
    '%',
    '{name}{name}',
  ],
  pattern: ['*', '%', 'a*', '%/%', '*%*%', 'INBOX', '{pattern}{pattern}', '&*'],
  set: [
    '1',
    '1:2',
    '*',
    '*:1',
    '4294967295',
    '0',
    '01',
    '4294967296',
    '{set},{set}',
    '1:2:3',
    '1,',
  ],
  keys: [
    'ALL',
    'NOT {keys}',
    'OR {keys} {keys}',
    '({keys})',
    '{keys} {keys}',
    '{set}',
    'UID {set}',
    'SUBJECT "x"',
    'HEADER a b',
    'SINCE 1-Feb-2020',
    'LARGER 1',
    'KEYWORD x',
    'MODSEQ "/flags/x" all 1',
    'BODY {{{',
  ],
  items: ['ALL', '(FLAGS)', '(FLAGS {item} {item})', '{item}', 'FAST'],
  item: [
    'BODY[]',
    'BODY[1.2.HEADER.FIELDS (A B)]<1.2>',
    'BODY.PEEK[TEXT]',
    'BINARY.SIZE[1]',
    'BODY[1.1.1.1.1.1]',
    'ENVELOPE',
    'BODY[HEADER.FIELDS ()]',
    'BODY[0]',
  ],
  flags: ['(\\Seen)', '(\\Seen $x y)', '()', '\\Seen', '(\\Recent)', '(a (b))', '(\\)'],
  date: [
    '1-Feb-2020',
    '"31-Feb-2020"',
    '"22-Nov-2026 05:00:00 +0000"',
    '" 1-Jan-0000 00:00:60 -2359"',
    'Sun, 22 Nov 26 05:00',
    '"1-Jan-9999"',
  ],
};

export const syntax: Target = {
  name: 'imap-syntax',
  seeds: corpus('src/protocol/imap').filter((text) => text.length < 300),
  generate: (chance) => expand(RULES, 'start', chance),
  maxOctets: 600,
  run({ octets, setup }) {
    const chance = new Chance(setup, 'imap-syntax');
    const [first = '', second = ''] = fields(octets);
    checkNames(first, parseUtf8(fromLatin1(first)) ?? first);
    const pieces = (): Cursor => new Cursor([{ text: first, literal: undefined }]);
    for (const read of [
      (cursor: Cursor) => checkSet(cursor),
      (cursor: Cursor) => readKeys(cursor, { ...IMAP_DEFAULTS, depth: chance.between(1, 50) }),
      (cursor: Cursor) => readItems(cursor, { ...IMAP_DEFAULTS, listItems: chance.between(1, 50) }),
      (cursor: Cursor) => readFlagList(cursor, 10),
      (cursor: Cursor) => readFlags(cursor, 10),
      (cursor: Cursor) => readDate(cursor),
      (cursor: Cursor) => checkDateTime(cursor),
      (cursor: Cursor) => readMailbox(cursor, IMAP_DEFAULTS),
    ]) {
      orRejected(() => read(pieces()));
    }
    const day = dayOfField(first);
    must(day === undefined || Number.isSafeInteger(day), 'a day', first, day);
    const name = first.slice(0, 60);
    const pattern = second.slice(0, 60);
    must(matchesPattern(name, pattern) === slowMatch(name, pattern), 'patterns', name, pattern);
  },
};

/** Grammar says no by `Rejected` alone. */
function orRejected(read: () => unknown): void {
  try {
    read();
  } catch (thrown) {
    if (!(thrown instanceof Rejected)) throw thrown;
    must(/^[\x20-\x7e]+$/.test(thrown.completion.text), 'a refusal is one line', thrown.completion);
  }
}

function checkNames(raw: string, text: string): void {
  const decoded = decodeName(raw);
  if (decoded !== undefined) same(encodeName(decoded), raw, 'one form of a name');
  if (text.isWellFormed()) {
    const encoded = encodeName(text);
    must(/^[\x20-\x7e]*$/.test(encoded), 'modified UTF-7 is printable', encoded);
    same(decodeName(encoded) ?? '?', text, 'a name comes back');
    for (const form of [
      formatMailbox(text),
      formatString(raw),
      formatNString(raw),
      formatAString(raw),
    ]) {
      const literal = /^\{(\d+)\}\r\n/.exec(form);
      const cursor = new Cursor(
        literal === null
          ? [{ text: form, literal: undefined }]
          : [
              { text: '', literal: fromLatin1(form.slice(literal[0].length)) },
              { text: '', literal: undefined },
            ],
      );
      const read = latin1(cursor.astring());
      cursor.end();
      // What no quoted string and no text of a header can hold is shown as it is documented.
      const shown = raw.replaceAll('\0', ' ').replace(/[^\x00-\x7f]/g, '?');
      const wanted = form === formatMailbox(text) ? encoded : shown;
      same(read, wanted, 'a string is read as it was');
    }
  }
}

function checkSet(cursor: Cursor): void {
  const set = readNumberSet(cursor, 100);
  const ranges = resolveSet(set, 7);
  for (const [at, [from, to]] of ranges.entries()) {
    must(from >= 1 && from <= to, 'a range', ranges);
    must(at === 0 || from > (ranges[at - 1]?.[1] ?? 0), 'ranges ascend', ranges);
  }
  const numbers = Array.from({ length: 9 }, (_, at) => at + 1).filter((one) =>
    inRanges(ranges, one),
  );
  const expected = Array.from({ length: 9 }, (_, at) => at + 1).filter((one) =>
    set.some(([from, to]) => {
      const [a, b] = [from, to].map((end) => (end === Infinity ? 7 : end)).sort((x, y) => x - y);
      return one >= (a ?? 0) && one <= (b ?? 0);
    }),
  );
  same(formatSet(numbers), formatSet(expected), 'a set holds what it says');
}

function checkDateTime(cursor: Cursor): void {
  const ms = readDateTime(cursor);
  // The years that four digits can say; a zone may lead out of them.
  if (ms < Date.UTC(1, 0, 1) || ms > Date.UTC(9999, 11, 30)) return;
  const again = readDateTime(new Cursor([{ text: formatDateTime(ms), literal: undefined }]));
  must(again === ms, 'a date and time comes back', ms, formatDateTime(ms));
}

/** The plainest possible matcher: fills a table. */
function slowMatch(name: string, pattern: string): boolean {
  const letters = [...name];
  const steps = [...pattern];
  const table = steps.map(() => new Map<number, boolean>());
  const fits = (at: number, step: number): boolean => {
    if (step === steps.length) return at === letters.length;
    const known = table[step]?.get(at);
    if (known !== undefined) return known;
    const one = steps[step] ?? '';
    const wild = one === '*' || one === '%';
    const eats =
      at < letters.length && (wild ? one === '*' || letters[at] !== '/' : letters[at] === one);
    const result = wild
      ? fits(at, step + 1) || (eats && fits(at + 1, step))
      : eats && fits(at + 1, step + 1);
    table[step]?.set(at, result);
    return result;
  };
  return fits(0, 0);
}
