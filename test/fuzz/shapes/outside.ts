/** Shapes for what the resolver says, the administrator writes, and terminals and logs show. */

import { fromLatin1, visible } from '#base/bytes.ts';
import { readConfiguration } from '#command/configuration/read.ts';
import { harmless } from '#command/io.ts';
import { tamed, textLine } from '#command/observe/lines.ts';
import { storyText } from '#command/story.ts';
import { decodeAnswer, encodeQuestion } from '#network/dns/packet.ts';
import { parseNetworks } from '#policy/restrictions/networks.ts';
import type { LedgerEntry } from '#store/ledger.ts';
import { type Shape, shape } from '../linear.ts';

const times =
  (unit: string, before = '', after = '') =>
  (n: number) =>
    before + unit.repeat(n) + after;
const octets =
  (unit: string, before = '', after = '') =>
  (n: number) =>
    fromLatin1(times(unit, before, after)(n));

function answer(
  records: (n: number) => Buffer,
  count: (n: number) => number,
): (n: number) => Buffer {
  return (n) => {
    const message = Buffer.concat([
      encodeQuestion({ name: 'demo.test', type: 'TXT' }, 1).subarray(0, 27),
      records(n),
    ]);
    message[2] = 0x81;
    message.writeUInt16BE(count(n), 6);
    message.writeUInt32BE(0, 8);
    return message;
  };
}

const asked = (message: Buffer): unknown =>
  decodeAnswer(message, { name: 'demo.test', type: 'TXT' }, 1);
const record = (owner: string, data: string): Buffer => {
  const head = Buffer.from(`${owner}\0\x10\0\x01\0\0\x0e\x10`, 'latin1');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(data.length);
  return Buffer.concat([head, length, Buffer.from(data, 'latin1')]);
};

const DNS_SHAPES: readonly Shape[] = [
  shape(
    'dns',
    'records',
    400,
    answer(
      (n) => Buffer.concat(Array.from({ length: n }, () => record('\xc0\x0c', '\x01a'))),
      (n) => n,
    ),
    asked,
  ),
  shape(
    'dns',
    'strings in a record',
    10_000,
    answer(
      (n) => record('\xc0\x0c', '\x01a'.repeat(n)),
      () => 1,
    ),
    asked,
  ),
  shape(
    'dns',
    'empty strings in a record',
    20_000,
    answer(
      (n) => record('\xc0\x0c', '\0'.repeat(n)),
      () => 1,
    ),
    asked,
  ),
  shape(
    'dns',
    'records with long names',
    200,
    answer(
      (n) =>
        Buffer.concat(Array.from({ length: n }, () => record(`${'\x01a'.repeat(120)}\0`, '\x01a'))),
      (n) => n,
    ),
    asked,
  ),
  shape(
    'dns',
    'pointers to pointers',
    300,
    answer(
      (n) =>
        Buffer.concat(
          Array.from({ length: n }, (_, at) => {
            const to = 27 + Math.max(0, at - 1) * 14;
            return record(
              at === 0 ? '\xc0\x0c' : String.fromCharCode(0xc0 | (to >> 8), to & 255),
              '\x01a',
            );
          }),
        ),
      (n) => n,
    ),
    asked,
  ),
];

const FACTS = { hostname: 'mail.demo.test', stateDirectory: '/var/lib/postern', gateways: [] };
const config = (name: string, n: number, text: (n: number) => string): Shape =>
  shape('configuration', name, n, text, (toml) => readConfiguration(toml, FACTS));

const CONFIGURATION_SHAPES: readonly Shape[] = [
  config('unknown names', 60, (n) => Array.from({ length: n }, (_, at) => `k${at} = 1\n`).join('')),
  config('nested arrays', 3_000, times('[', 'a = ')),
  config('nested tables', 3_000, times('{a=', 'a = ')),
  config('a list', 3_000, times('"127.0.0.0/8", ', 'mynetworks = [', '"::1/128"]\n')),
  config('a list of what is wrong', 500, times('"x", ', 'mynetworks = [', '"y"]\n')),
  config('comments', 10_000, times('# x\n')),
  config('empty lines', 30_000, times('\n')),
  config('a long string', 50_000, times('x', 'myhostname = "', '"\n')),
  config('escapes', 10_000, times('\\n', 'myhostname = "', '"\n')),
  config('quotes', 10_000, times('"', 'a = ')),
  config('dotted names', 3_000, times('a.', '', 'b = 1\n')),
  config('tables', 100, (n) => Array.from({ length: n }, (_, at) => `[t${at}]\na = 1\n`).join('')),
  config('arrays of tables', 1_000, times('[[t]]\na = 1\n')),
  config('blanks', 50_000, times(' ', 'a =', '1\n')),
];

const ENTRY: Omit<LedgerEntry, 'facts'> = {
  atMs: 0,
  kind: 'attempt',
  session: undefined,
  queueId: undefined,
  keys: [],
};

/** An object in an object, so many times. */
function nested(n: number): { [key: string]: never } {
  let made: unknown = 'x';
  for (let left = n; left > 0; left--) made = { a: made };
  return made as { [key: string]: never };
}

const OUTSIDE_SHAPES: readonly Shape[] = [
  shape('terminal', 'controls', 20_000, times('\x1b'), (text) => harmless(text, 2 ** 31)),
  shape('terminal', 'octets', 100_000, octets('\xff'), (text) => visible(text, 2 ** 31)),
  shape('terminal', 'a deep fact', 2_000, nested, (facts) =>
    storyText([{ ...ENTRY, facts }], { colour: false }),
  ),
  shape(
    'terminal',
    'many facts',
    5_000,
    (n) => Object.fromEntries(Array.from({ length: n }, (_, at) => [`k${at}`, '\x1b'])),
    (facts) => storyText([{ ...ENTRY, facts }], { colour: false }),
  ),
  shape('terminal', 'a log line', 20_000, times('"'), (text) =>
    textLine('info', 'x', tamed({ text }), 0),
  ),
  shape(
    'policy',
    'networks',
    1_000,
    (n) => Array.from({ length: n }, (_, at) => `10.${at % 256}.0.0/16`),
    (texts) => parseNetworks(texts, {}),
  ),
];

export const OUTER_SHAPES: readonly Shape[] = [
  ...DNS_SHAPES,
  ...CONFIGURATION_SHAPES,
  ...OUTSIDE_SHAPES,
];
