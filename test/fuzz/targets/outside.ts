/** What comes from the resolver, from the administrator, and what goes to terminals and logs. */

import { fromLatin1, latin1, parseUtf8 } from '#base/bytes.ts';
import type { QueueId, SessionId } from '#base/brand.ts';
import type { Json, JsonObject } from '#base/json.ts';
import { formatProblem, readConfiguration } from '#command/configuration/read.ts';
import { SETTINGS } from '#command/configuration/settings.ts';
import { tamed, textLine } from '#command/observe/lines.ts';
import { storyJson, storyText } from '#command/story.ts';
import { decodeAnswer, encodeQuestion, type RecordType } from '#network/dns/packet.ts';
import { questionName, reverseName } from '#network/dns/names.ts';
import { parsePhc, formatPhc } from '#policy/login/phc.ts';
import { parseNetworks } from '#policy/restrictions/networks.ts';
import type { LedgerEntry } from '#store/ledger.ts';
import { isIP } from 'node:net';
import { Chance } from '../chance.ts';
import { corpus } from '../corpus.ts';
import { expand } from '../grammar.ts';
import { fields, must, same, type Target } from '../target.ts';

const TYPES: readonly RecordType[] = ['MX', 'A', 'AAAA', 'TXT', 'PTR', 'TLSA'];
const NAME = '\x04demo\x04test\0';
const ANSWERS = {
  start: ['{one}', '{one}{one}', '{one}{one}{one}', '{one}\0\0{one}', ''],
  one: ['{owner}{data}'],
  owner: ['\xc0\x0c', NAME, '\0', '\xc0\x1c', '\xff\xff', '\xc0\x0d', '\x3faaa', '\x01.\xc0\x0c'],
  data: [
    '\0\x01\0\x01\0\0\x0e\x10\0\x04\xc0\0\x02\x01',
    '\0\x0f\0\x01\0\0\x0e\x10\0\x09\0\x0a\x04mail\xc0\x0c',
    '\0\x0f\0\x01\0\0\x0e\x10\0\x03\0\0\0',
    '\0\x05\0\x01\0\0\x0e\x10\0\x02\xc0\x0c',
    '\0\x10\0\x01\0\0\x0e\x10\0\x06\x05v=spf',
    '\0\x10\0\x01\0\0\x0e\x10\0\0',
    '\0\x34\0\x01\0\0\x0e\x10\0\x05\x03\x01\x01ab',
    '\0\x1c\0\x01\xff\xff\xff\xff\0\x100123456789abcdef',
    '\0\x06\0\x01\0\0\0\0\0\x16\0\0\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x01',
    '\0\x29\x04\xd0\0\0\x80\0\0\0',
    '\0\xff\0\xff\0\0\0\0\xff\xff',
  ],
};

/** DNS messages: a header that fits the question, and anything behind it; sometimes no header. */
export const dns: Target = {
  name: 'dns',
  seeds: [],
  generate: (chance) => expand(ANSWERS, 'start', chance),
  maxOctets: 1_300,
  run({ octets, setup }) {
    const chance = new Chance(setup, 'dns');
    const question = { name: 'demo.test', type: chance.pick(TYPES) };
    const message = Buffer.concat([encodeQuestion(question, 0x1234), octets]);
    // An answer, not truncated, as many records as are likely to be there.
    message[2] = chance.pick([0x81, 0x81, 0x83]);
    message[3] = chance.pick([0x80, 0xa0, 0x83, 0x82]);
    message.writeUInt16BE(chance.pick([0, 1, 1, 2, 3, 1_001, 65_535]), 6);
    message.writeUInt16BE(chance.pick([0, 0, 1]), 8);
    // Our own OPT record stands behind the question: without it there, the answers begin at once.
    message.writeUInt16BE(0, 10);
    const bare = Buffer.concat([message.subarray(0, 27), octets]);
    for (const one of [bare, message, Buffer.from(octets)]) {
      const answered = decodeAnswer(one, question, 0x1234);
      if (answered.kind !== 'answered') continue;
      must(answered.code < 16, 'a code of four bits', answered);
      must(answered.answers.length <= 1_000, 'so many answers', answered.answers.length);
      JSON.stringify(answered);
    }
    names(latin1(octets));
  },
};

function names(text: string): void {
  const name = questionName(text);
  if (name !== undefined) {
    const asked = encodeQuestion({ name, type: 'A' }, 1);
    must(asked.length < 300, 'a question is small', name);
    const echo = Buffer.from(asked);
    echo[2] = 0x81;
    must(decodeAnswer(echo, { name, type: 'A' }, 1).kind === 'answered', 'our own question', name);
  }
  const reverse = reverseName(text);
  must((reverse !== undefined) === (isIP(text) > 0 && !text.includes('%')), 'reverse names', text);
  if (reverse !== undefined) must(questionName(reverse) === reverse, 'a reverse name is a name');
}

const FACTS = {
  hostname: 'mail.demo.test',
  stateDirectory: '/var/lib/postern',
  gateways: ['10.0.0.1'],
};
const TOML = {
  start: ['{line}', '{line}\n{start}', '{line}\r\n{start}', '{line}\n{line}\n{line}'],
  line: [
    '{name} = {value}',
    '[{name}]',
    '# {value}',
    '{name}.{name} = {value}',
    '[[{name}]]',
    '{name} = {value} # x',
    '{value}',
    '',
  ],
  name: [...SETTINGS.keys(), 'myhostnam', '__proto__', 'constructor', '"a b"', 'x'],
  value: [
    '"x"',
    '5',
    '-1',
    'true',
    '"5d"',
    '"10M"',
    '[]',
    '["a", "b"]',
    '{a = 1}',
    '[{value}, {value}]',
    '"mail.example.org"',
    '"192.0.2.0/24"',
    "'lit'",
    '"""m\n"""',
    '1e99',
    'nan',
    '1979-05-27',
    '"\\u0000"',
    '"\x1b[2J"',
    '{"__proto__" = 1}',
    '99999999999999999999',
    '["127.0.0.1:25"]',
    '["permit_mynetworks", "reject"]',
  ],
};

export const configuration: Target = {
  name: 'configuration',
  seeds: corpus('src/command'),
  generate: (chance) => expand(TOML, 'start', chance),
  maxOctets: 1_500,
  run({ octets }) {
    const text = parseUtf8(octets) ?? latin1(octets);
    const result = readConfiguration(text, FACTS);
    if (result.kind === 'bad') {
      must(result.problems.length > 0 && result.problems.length <= 100, 'problems are told');
      for (const problem of result.problems) {
        const lines = text.split('\n').length + 1;
        must(
          (problem.line ?? 1) >= 1 && (problem.line ?? 1) <= lines,
          'a line of the file',
          problem,
        );
        must(formatProblem('x', problem).length < 4_000, 'a problem is short', problem);
      }
    } else must(result.settings.myhostname.length > 0, 'settings are whole');
    const networks = parseNetworks(fields(octets).slice(0, 20), {});
    if (networks.kind === 'networks') networks.networks.includes('192.0.2.1');
    const phc = parsePhc(latin1(octets));
    if (phc !== undefined)
      same(JSON.stringify(parsePhc(formatPhc(phc))), JSON.stringify(phc), 'a hash');
  },
};

const HOSTILE = {
  start: ['{text}\x1f{text}\x1f{text}\x1f{text}\x1f{text}', '{text}\x1f{text}'],
  text: [
    'x',
    '\x1b[2J',
    '\x1b]0;owned\x07',
    '\r\nfake line',
    '\0',
    '\xc2\x9b31m',
    '\xe2\x80\xae',
    '\xe2\x80\xa8',
    '\xff',
    '{text}{text}',
    '__proto__',
    'a=b "c"',
    '{long}',
    '\xed\xa0\x80',
  ],
  long: ['y'.repeat(1_500)],
};
const KINDS = [
  'session',
  'refused',
  'accepted',
  'delivered',
  'attempt',
  'bounced',
  'admin',
] as const;

/** Ledger entries and log lines: nothing in them steers a terminal or begins a line. */
export const terminal: Target = {
  name: 'terminal',
  seeds: corpus('src/command/observe'),
  generate: (chance) => expand(HOSTILE, 'start', chance),
  maxOctets: 3_000,
  run({ octets, setup }) {
    const chance = new Chance(setup, 'terminal');
    const texts = fields(octets).map((raw) => parseUtf8(fromLatin1(raw)) ?? raw);
    const text = (): string => chance.pick(texts);
    const facts = objectOf(chance, text);
    const entry: LedgerEntry = {
      atMs: chance.pick([0, 1_795_000_000_000]),
      kind: chance.pick(KINDS),
      session: text() as SessionId,
      queueId: text() as QueueId,
      keys: texts,
      facts,
    };
    const story = storyText([entry, entry], { colour: false });
    must(!UNSAFE.test(story), 'a story steers no terminal', story);
    must(story.endsWith('\n') && story.split('\n').length < 900, 'a story has its limit');
    for (const line of storyJson([entry]).trimEnd().split('\n')) JSON.parse(line);
    const line = textLine('info', text(), tamed(facts), entry.atMs);
    must(
      !UNSAFE.test(line) && line.indexOf('\n') === line.length - 1,
      'a log line is one line',
      line,
    );
    must(Buffer.byteLength(line) <= 16_384, 'a log line has its limit', line.length);
  },
};

const UNSAFE = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]/u;

/** Facts of any shape; a walk with its own depth. */
function objectOf(chance: Chance, text: () => string, depth = 0): JsonObject {
  const made: { [key: string]: Json } = Object.create(null);
  for (let left = chance.below(5); left > 0; left--) {
    const inner = (): Json => {
      if (depth < 10 && chance.once(3)) return objectOf(chance, text, depth + 1);
      return chance.pick([text(), text(), 1, true, null]);
    };
    made[text()] = chance.once(4) ? [inner(), inner()] : inner();
  }
  return made;
}
