/** Mail of our own and notices: whatever is put in, they are read back as what they should be. */

import type { Domain, QueueId } from '#base/brand.ts';
import { concat, fromLatin1, latin1, parseUtf8, utf8 } from '#base/bytes.ts';
import type { NoticeFacts, NoticeRecipient } from '#agents/notify/facts.ts';
import { buildNotice } from '#agents/notify/notice.ts';
import {
  type ComposedPart,
  composeMessage,
  hasSoundLines,
  headersPart,
  leafPart,
  messagePart,
  multipart,
  textPart,
} from '#message/compose.ts';
import { formatText } from '#message/field-text.ts';
import { readHead } from '#message/fields.ts';
import type { Part } from '#message/part.ts';
import { readStructure } from '#message/scanner.ts';
import { partText } from '#message/text.ts';
import { decodeTransfer } from '#message/transfer.ts';
import { Chance } from '../chance.ts';
import { corpus } from '../corpus.ts';
import { expand } from '../grammar.ts';
import { MAILS } from '../mails.ts';
import { type Case, fields, must, same, type Target } from '../target.ts';

/** Like ours, but nobody can know the octets in it. */
const BOUNDARY = `--=_${'07'.repeat(24)}`;
const RULES = {
  start: ['{text}', '{text}\x1f{text}', '{text}\x1f{text}\x1f{text}', '{text}{text}{text}'],
  text: [
    'x',
    'a\r\nb',
    '\n',
    '\r',
    '\0',
    '.',
    'From x',
    '\xc3\xa9',
    '\xff',
    ' \r\n',
    `\r\n${BOUNDARY}\r\n`,
    `\r\n${BOUNDARY}--`,
    'Subject: x\r\n\r\ny',
    '{long}',
    '=?utf-8?q?x?=',
  ],
  long: ['x'.repeat(999), 'x '.repeat(600)],
};

export const compose: Target = {
  name: 'compose',
  seeds: [...corpus('src/message').filter((text) => text.length < 400), ...MAILS.map(latin1)],
  generate: (chance) => expand(RULES, 'start', chance),
  maxOctets: 2_500,
  run({ octets, setup }) {
    const chance = new Chance(setup, 'compose');
    const given = fields(octets).slice(0, 8).map(fromLatin1);
    const kinds = given.map(() => chance.pick(['leaf', 'text', 'message', 'headers'] as const));
    const parts = given.map((piece, at) => make(kinds[at] ?? 'leaf', piece));
    const subject = formatText('Subject', latin1(given[0] ?? octets));
    const { head, body } = composeMessage([subject], multipart('mixed', parts, random(setup)));
    must(hasSoundLines(body) && hasSoundLines(head), 'lines that any server takes');
    const whole = concat([head, body]);
    const { root } = readStructure(whole);
    must(root.children.length === parts.length, 'as many parts as were put in', kinds);
    for (const [at, part] of root.children.entries()) {
      compare(kinds[at] ?? 'leaf', given[at] ?? octets, part, whole);
    }
  },
};

function random(setup: number): Uint8Array {
  return new Chance(setup, 'boundary').octets(24);
}

function make(kind: 'leaf' | 'text' | 'message' | 'headers', octets: Uint8Array): ComposedPart {
  if (kind === 'leaf') return leafPart(octets, { type: 'application/octet-stream' });
  if (kind === 'text') return textPart(parseUtf8(octets) ?? latin1(octets));
  return kind === 'message' ? messagePart(octets) : headersPart(octets);
}

function compare(kind: string, given: Uint8Array, part: Part, whole: Uint8Array): void {
  const found = whole.subarray(part.bodyStart, part.bodyStart + part.bodyBytes);
  if (kind === 'text') {
    const wanted = (parseUtf8(given) ?? latin1(given))
      .toWellFormed()
      .replace(/\r\n|\r|\n/g, '\r\n')
      .replaceAll('\0', '\ufffd');
    const text = partText(part, found);
    same(text.replace(/^\ufeff/, ''), wanted.replace(/^\ufeff/, ''), 'text comes back');
    return;
  }
  const octets = decodeTransfer(part.encoding, found).bytes;
  must(Buffer.from(octets).equals(given), 'octets come back', kind, latin1(given), latin1(octets));
}

const ANSWERS = {
  start: ['{text}\x1f{text}\x1f{text}\x1f{text}\x1f{text}\x1f{text}'],
  text: [
    'x',
    'No such user',
    'a\r\nBcc: x',
    '\n',
    '\r\n\r\n',
    '\x1b[2J',
    '\0',
    '\xe2\x80\xae',
    `\r\n${BOUNDARY}\r\n`,
    'rfc822;a',
    'utf-8;\\x{0D}',
    '5.1.1',
    '',
    ' ',
    '{text}{text}',
    'a@b.test',
    '=?utf-8?q?=0D?=',
    '<x@y>',
    '{long}',
  ],
  long: ['x '.repeat(600), 'x'.repeat(1_200)],
};
const REVERSE = ['alice@demo.test', '"a b"@demo.test', '\u00e9lise@demo.test'];

export const notice: Target = {
  name: 'notice',
  seeds: corpus('src/agents/notify'),
  generate: (chance) => expand(ANSWERS, 'start', chance),
  maxOctets: 2_500,
  run(one) {
    const facts = factsOf(one);
    const mail = buildNotice(facts, {
      id: 'N1' as QueueId,
      myhostname: 'mail.demo.test' as Domain,
      random: random(one.setup),
    });
    if (mail === undefined) return;
    const { head, body } = mail.content;
    if (!(body instanceof Uint8Array)) throw new Error('a notice is small');
    const whole = concat([head, body]);
    must(hasSoundLines(whole), 'lines that any server takes');
    must(mail.reversePath === null, 'a notice has the null sender');
    const { root, head: read } = readStructure(whole);
    const names = read.fields.map(({ key }) => key);
    must(new Set(names).size === names.length, 'no field twice', names);
    must(!names.includes('bcc') && names[0] === 'date', 'our fields alone', names);
    must(
      root.children.length === (facts.original === undefined ? 2 : 3),
      'its parts',
      root.children,
    );
    checkStatus(root.children[1], whole, facts);
    const letter = root.children[0];
    if (letter === undefined) return;
    const text = partText(
      letter,
      whole.subarray(letter.bodyStart, letter.bodyStart + letter.bodyBytes),
    );
    must(
      !/[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/.test(text),
      'text for eyes',
      text,
    );
  },
};

/** One block for the message and one for each recipient, whatever the texts hold. */
function checkStatus(part: Part | undefined, whole: Uint8Array, facts: NoticeFacts): void {
  if (part === undefined) throw new Error('a notice has a second part');
  const octets = whole.subarray(part.bodyStart, part.bodyStart + part.bodyBytes);
  let rest = decodeTransfer(part.encoding, octets).bytes;
  let blocks = 0;
  while (rest.length > 0) {
    const { fields: found, headBytes } = readHead(rest);
    rest = rest.subarray(Math.max(1, headBytes));
    if (found.length === 0) continue;
    blocks += 1;
    const status = found.filter(({ key }) => key === 'status').map(({ value }) => value);
    must(status.length === (blocks === 1 ? 0 : 1), 'a status for each recipient', status);
    must(
      status.every((value) => /^[245]\.\d{1,3}\.\d{1,3}$/.test(value)),
      'a status',
      status,
    );
  }
  must(blocks === 1 + facts.recipients.length, 'a block for each recipient', blocks);
}

function factsOf({ octets, setup }: Case): NoticeFacts {
  const chance = new Chance(setup, 'notice');
  const texts = fields(octets).map((raw) => parseUtf8(fromLatin1(raw)) ?? raw);
  const text = (): string => chance.pick(texts);
  const maybe = (): string | undefined => (chance.once(2) ? text() : undefined);
  const recipient = (): NoticeRecipient => ({
    address: chance.pick(['bob@far.test', 'jos\u00e9@far.test', '"x y"@far.test']),
    originalRecipient: maybe(),
    status: chance.once(2) ? text() : '5.1.1',
    reply: chance.once(3)
      ? undefined
      : {
          code: chance.pick([250, 450, 553]),
          enhanced: chance.pick([undefined, '5.1.1']),
          lines: texts.slice(0, 4),
        },
    host: maybe(),
    reason: text(),
    expired: chance.once(2),
    lastAttemptMs: chance.pick([undefined, 0, 1_795_000_000_000]),
    retryUntilMs: chance.pick([undefined, 1_795_000_000_000]),
  });
  return {
    kind: chance.pick(['failed', 'delayed', 'relayed', 'delivered'] as const),
    mail: {
      id: 'Q1' as QueueId,
      envelope: {
        reversePath: chance.pick(REVERSE),
        ret: chance.pick([undefined, 'full', 'hdrs'] as never[]),
        envelopeId: maybe(),
        smtpUtf8: chance.once(3),
        body: chance.pick(['7bit', '8bitmime', 'binarymime'] as const),
      },
      acceptedMs: 1_795_000_000_000,
    },
    recipients: Array.from({ length: chance.between(1, 3) }, recipient),
    original: chance.once(5)
      ? undefined
      : {
          head: concat([utf8('Subject: s\r\n'), fromLatin1(fields(octets).join('\r\n'))]),
          cut: chance.once(3),
          body: chance.once(2) ? octets : undefined,
        },
    nowMs: 1_795_000_003_000,
  };
}
