/** Tests of the author domain: the From oddities of espoofer's cases, with and without a signature. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromLatin1, utf8 } from '#base/bytes.ts';
import { zoneResolver } from '#test/vectors/zone.ts';
import { readAuthor } from './author.ts';
import { evaluateDmarc } from './evaluate.ts';

const LEGIT = 'admin@legitimate.test';
const ATTACK = 'any@attack.test';

/** Cases of audit.md 1.10 that play with From: the head's fields, and the author or undefined. */
const CASES: readonly (readonly [name: string, head: string, author: string | undefined])[] = [
  ['plain', `From: <${LEGIT}>`, 'legitimate.test'],
  ['a1 a name that is not there', 'From: <admin@admin.legitimate.test>', 'admin.legitimate.test'],
  ['a8 two From', `From: <${ATTACK}>\r\nFrom: <${LEGIT}>`, undefined],
  ['two From that say the same', `From: <${LEGIT}>\r\nFrom: <${LEGIT}>`, undefined],
  ['a8 two From, other case', `From: <${ATTACK}>\r\nfROM: <${LEGIT}>`, undefined],
  ['a9 a blank in front', ` From: <${LEGIT}>\r\nFrom: <${ATTACK}>`, undefined],
  ['a9 a tab in front, alone', `\tFrom: <${LEGIT}>`, undefined],
  ['a10 a blank before the colon', `From : <${LEGIT}>\r\nFrom: <${ATTACK}>`, undefined],
  ['a10 alone', `From : <${LEGIT}>`, undefined],
  ['a11 folded before the colon', `From\r\n : <${LEGIT}>\r\nFrom: <${ATTACK}>`, undefined],
  ['a11 alone', `From\r\n : <${LEGIT}>`, undefined],
  ['a12 Sender does not count', `From: <${LEGIT}>\r\nSender: <${ATTACK}>`, 'legitimate.test'],
  [
    'a13 Resent-From does not count',
    `From: <${LEGIT}>\r\nResent-From: <${ATTACK}>`,
    'legitimate.test',
  ],
  ['a14 two addresses', `From: <${LEGIT}>, <${ATTACK}>`, undefined],
  ['a15 an encoded address', 'From: =?utf-8?B?PGFkbWluQGxlZ2l0aW1hdGUudGVzdD4=?=', undefined],
  [
    'a15 and one beside it',
    `From: =?utf-8?B?PGFkbWluQGxlZ2l0aW1hdGUudGVzdD4=?= <${ATTACK}>`,
    'attack.test',
  ],
  ['a16 a source route', `From: <@attack.test,@any.test:${LEGIT}>`, undefined],
  ['a17 an escaped comma', `From: <${LEGIT}>\\,<${ATTACK}>`, undefined],
  ['a18 a bare address first', `From: ${LEGIT},<${ATTACK}>`, undefined],
  ['a19 an address behind', `From: <${ATTACK}>${LEGIT}`, undefined],
  ['no From', 'To: <a@b.test>', undefined],
  ['an empty From', 'From:', undefined],
  ['a group without addresses', 'From: undisclosed:;', undefined],
  ['a group with one', `From: people: <${LEGIT}>;`, 'legitimate.test'],
  ['two of one domain', 'From: <a@legitimate.test>, b@LEGITIMATE.test', 'legitimate.test'],
  ['a NUL in the name', `From\0: <${LEGIT}>\r\nFrom: <${ATTACK}>`, undefined],
  ['an octet that does not show', `From\u00ad: <${LEGIT}>\r\nFrom: <${ATTACK}>`, undefined],
  ['a NUL in the value', `From: <${LEGIT}\0@attack.test>`, undefined],
  ['a display name that is an address', `From: "${LEGIT}" <${ATTACK}>`, 'attack.test'],
  ['a route in quotes is a name', `From: "<@x:" <${LEGIT}>`, 'legitimate.test'],
  ['a route in a comment is a comment', `From: (<@x:) <${LEGIT}>`, 'legitimate.test'],
  [
    'a continuation line that looks like From',
    `Subject: x\r\n From: <${ATTACK}>\r\nFrom: <${LEGIT}>`,
    'legitimate.test',
  ],
  ['U-labels', 'From: <a@m\u00fcnchen.test>', 'xn--mnchen-3ya.test'],
  ['no domain', 'From: root', undefined],
  [
    'more authors than anybody has',
    `From: ${'a@legitimate.test,'.repeat(2_000)}b@legitimate.test`,
    undefined,
  ],
  ['an address literal', 'From: <a@[192.0.2.1]>', '[192.0.2.1]'],
];

test('the author is who every reader sees, or nobody', () => {
  for (const [name, head, author] of CASES) {
    const octets = head.includes('\u00ad')
      ? fromLatin1(`${head}\r\n\r\n`)
      : utf8(`${head}\r\n\r\n`);
    const read = readAuthor(octets);
    assert.equal(read.kind === 'author' ? read.domain : undefined, author, name);
  }
});

test('spoofed From is refused or fails, signed by the attacker or not', async () => {
  const zone = {
    '_dmarc.legitimate.test': { txt: ['v=DMARC1; p=none; sp=none; np=reject'] },
    '_dmarc.attack.test': { txt: ['v=DMARC1; p=none'] },
  };
  const signed = [{ result: 'pass', domain: 'attack.test' }];
  for (const [name, head, author] of CASES) {
    for (const dkim of [[], signed]) {
      const resolver = zoneResolver(zone);
      const read = readAuthor(utf8(`${head}\r\n\r\n`));
      const outcome = await evaluateDmarc({ author: read, dkim, resolver, spf: signed[0] });
      if (author === undefined) {
        assert.deepEqual([outcome.result, outcome.disposition], ['permerror', 'reject'], name);
        assert.deepEqual(resolver.questions, [], name);
      } else if (author === 'attack.test') assert.equal(outcome.result, 'pass', name);
      else if (author.endsWith('legitimate.test')) assert.equal(outcome.result, 'fail', name);
      if (name.startsWith('a1 '))
        assert.deepEqual([outcome.tag, outcome.disposition], ['np', 'reject']);
    }
  }
});

test('an address literal has no policy', async () => {
  const author = readAuthor(utf8('From: <a@[192.0.2.1]>\r\n\r\n'));
  const outcome = await evaluateDmarc({ author, dkim: [], resolver: zoneResolver({}) });
  assert.deepEqual([outcome.result, outcome.disposition, outcome.lookups], ['none', 'none', []]);
});

test('a head of a megabyte is read in linear time', () => {
  const units = ['From\r\n', 'F:\r\n', 'from ', '\r\n ', ' <@', '(', '"', '\n', '<', 'a@b,'];
  for (const unit of units) {
    const octets = utf8(`From: ${unit.repeat(Math.ceil(500_000 / unit.length))}\r\n\r\n`);
    const before = process.cpuUsage();
    readAuthor(octets);
    const { user } = process.cpuUsage(before);
    assert.ok(user < 1_000_000, `${JSON.stringify(unit)}: ${user} us`);
  }
});
