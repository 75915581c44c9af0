/** Each restriction that asks somebody: who it refuses, who not, what DNS trouble does, its cost. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { ZoneName } from '#test/vectors/zone.ts';
import type { Zone } from '#test/world/inquiry.ts';
import { type JudgedCase, judge, summary } from '#test/world/judge.ts';

interface Case extends JudgedCase {
  readonly what: string;
  /** `dunno`, `permit`, or `450 4.4.3`. */
  readonly expected: string;
  /** Questions to the DNS. */
  readonly cost?: number;
  /** What a remark says, where there must be one. */
  readonly remark?: RegExp;
}

const DEAD: ZoneName = { timeout: true };
const ARPA = '5.113.0.203.in-addr.arpa';
const NAMED: Zone = {
  [ARPA]: { ptr: ['mx.sender.test'] },
  'mx.sender.test': { a: ['203.0.113.5'] },
};
const V6 = `1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2`;
const TABLE = { '/t': 'sender.test REJECT 5.7.9 not you\n' };

const CASES: readonly Case[] = [
  // reject_unknown_helo_hostname
  ...about('reject_unknown_helo_hostname', [
    {
      what: 'address',
      zone: { 'mx.sender.test': { a: ['192.0.2.1'] } },
      expected: 'dunno',
      cost: 3,
    },
    { what: 'MX', zone: { 'mx.sender.test': { mx: [[1, 'x.test']] } }, expected: 'dunno', cost: 1 },
    { what: 'none', expected: '450 4.7.1', cost: 1 },
    { what: 'no name', helo: 'a..b', expected: '450 4.7.1', cost: 0 },
    { what: 'literal', helo: '[192.0.2.1]', expected: 'dunno', cost: 0 },
    { what: 'trouble', zone: { 'mx.sender.test': DEAD }, expected: '450 4.4.3', cost: 1 },
  ]),
  // reject_unknown_reverse_client_hostname, reject_unknown_client_hostname
  ...about('reject_unknown_reverse_client_hostname', [
    { what: 'named', zone: { [ARPA]: { ptr: ['liar.test'] } }, expected: 'dunno', cost: 1 },
    { what: 'none', expected: '450 4.7.25', cost: 1 },
    { what: 'trouble', zone: { [ARPA]: DEAD }, expected: '450 4.4.3', cost: 1 },
    { what: 'loopback', ip: '127.0.0.1', expected: 'dunno', cost: 0 },
  ]),
  ...about('reject_unknown_client_hostname', [
    { what: 'there and back', zone: NAMED, expected: 'dunno', cost: 2 },
    {
      what: 'does not lead back',
      zone: { [ARPA]: { ptr: ['liar.test'] }, 'liar.test': { a: ['192.0.2.1'] } },
      expected: '450 4.7.25',
      cost: 2,
    },
    { what: 'none', expected: '450 4.7.25', cost: 1 },
    {
      what: 'trouble on the way back',
      zone: { [ARPA]: { ptr: ['mx.sender.test'] }, 'mx.sender.test': DEAD },
      expected: '450 4.4.3',
      cost: 2,
    },
    { what: 'loopback', ip: '::1', expected: 'dunno', cost: 0 },
  ]),
  // reject_unknown_sender_domain, reject_unknown_recipient_domain
  ...about('reject_unknown_sender_domain', [
    { what: 'MX', zone: { 'sender.test': { mx: [[1, 'mx.test']] } }, expected: 'dunno', cost: 1 },
    {
      what: 'AAAA',
      zone: { 'sender.test': { aaaa: ['2001:db8::1'] } },
      expected: 'dunno',
      cost: 3,
    },
    {
      what: 'null MX',
      zone: { 'sender.test': { mx: [[0, '']] } },
      expected: '550 5.7.27',
      cost: 1,
    },
    { what: 'no domain', expected: '450 4.1.8', cost: 1 },
    { what: 'no data', zone: { 'sender.test': { txt: ['x'] } }, expected: '450 4.1.8', cost: 3 },
    { what: 'trouble', zone: { 'sender.test': DEAD }, expected: '450 4.4.3', cost: 1 },
    { what: 'null sender', from: '', expected: 'dunno', cost: 0 },
    { what: 'our own', from: 'x@demo.test', expected: 'dunno', cost: 0 },
    { what: 'literal', from: 'x@[192.0.2.1]', expected: 'dunno', cost: 0 },
  ]),
  ...about('reject_unknown_recipient_domain', [
    { what: 'our own', expected: 'dunno', cost: 0 },
    {
      what: 'MX',
      to: 'x@away.test',
      zone: { 'away.test': { mx: [[1, 'mx.test']] } },
      expected: 'dunno',
      cost: 1,
    },
    {
      what: 'null MX',
      to: 'x@away.test',
      zone: { 'away.test': { mx: [[0, '.']] } },
      expected: '556 5.1.10',
      cost: 1,
    },
    { what: 'no domain', to: 'x@away.test', expected: '450 4.1.2', cost: 1 },
    {
      what: 'trouble',
      to: 'x@away.test',
      zone: { 'away.test': DEAD },
      expected: '450 4.4.3',
      cost: 1,
    },
  ]),
  // reject_unlisted_sender, reject_unauth_pipelining
  ...about('reject_unlisted_sender', [
    { what: 'known', from: 'alice@demo.test', expected: 'dunno', cost: 0 },
    { what: 'unknown', from: 'nobody@demo.test', expected: '550 5.1.0', cost: 0 },
    { what: 'elsewhere', from: 'nobody@sender.test', expected: 'dunno', cost: 0 },
    { what: 'null sender', from: '', expected: 'dunno', cost: 0 },
  ]),
  ...about('reject_unauth_pipelining', [
    { what: 'patient', expected: 'dunno', cost: 0 },
    { what: 'impatient', impatient: true, expected: '503 5.5.0', cost: 0 },
  ]),
  // reject_rbl_client, permit_dnswl_client
  ...about('reject_rbl_client bad.test', [
    { what: 'listed', zone: listed('127.0.0.2'), expected: '554 5.7.1', cost: 2 },
    { what: 'unlisted', expected: 'dunno', cost: 1 },
    {
      what: 'trouble',
      zone: { '5.113.0.203.bad.test': DEAD },
      expected: 'dunno',
      remark: /timeout/,
    },
    { what: 'sold', zone: listed('198.51.100.9'), expected: 'dunno', remark: /outside 127/ },
    { what: 'refusing', zone: listed('127.255.255.254'), expected: 'dunno', remark: /says 127/ },
    { what: 'loopback', ip: '127.0.0.1', expected: 'dunno', cost: 0 },
    {
      what: 'IPv6',
      ip: '2001:db8::1',
      zone: { [`${V6}.bad.test`]: { a: ['127.0.0.2'] } },
      expected: '554 5.7.1',
    },
  ]),
  ...about('reject_rbl_client bad.test=127.0.0.[2..4;9]', [
    { what: 'in the range', zone: listed('127.0.0.3'), expected: '554 5.7.1' },
    { what: 'the other one', zone: listed('127.0.0.9'), expected: '554 5.7.1' },
    { what: 'another answer', zone: listed('127.0.0.10'), expected: 'dunno' },
    { what: 'one of several', zone: listed('127.0.0.10', '127.0.0.2'), expected: '554 5.7.1' },
  ]),
  ...about('permit_dnswl_client bad.test=127.0.[0..255].[1..3], reject', [
    { what: 'listed', zone: listed('127.0.7.2'), expected: 'permit', cost: 1 },
    { what: 'unlisted', expected: '554 5.7.1', cost: 1 },
    {
      what: 'trouble',
      zone: { '5.113.0.203.bad.test': DEAD },
      expected: '554 5.7.1',
      remark: /timeout/,
    },
  ]),
  // the tables
  ...about('check_sender_access /t', [
    { what: 'domain', tables: TABLE, expected: '554 5.7.9' },
    { what: 'below it', tables: TABLE, from: 'x@a.b.sender.test', expected: '554 5.7.9' },
    { what: 'beside it', tables: TABLE, from: 'x@notsender.test', expected: 'dunno' },
    { what: 'below alone', tables: { '/t': '.sender.test OK' }, expected: 'dunno' },
    {
      what: 'address',
      tables: { '/t': 'X@Sender.test OK' },
      from: 'x@sender.test',
      expected: 'permit',
    },
    {
      what: 'subaddress',
      tables: { '/t': 'x@sender.test OK' },
      from: 'x+y@sender.test',
      expected: 'permit',
    },
    { what: 'user', tables: { '/t': 'x@ 450 4.2.0 later' }, expected: '450 4.2.0' },
    { what: 'null sender', tables: { '/t': '<> DEFER' }, from: '', expected: '450 4.7.1' },
    {
      what: 'the address before its domain',
      tables: { '/t': 'sender.test REJECT\nx@sender.test DUNNO' },
      expected: 'dunno',
    },
    { what: 'warn', tables: { '/t': 'x@sender.test WARN hm' }, expected: 'dunno', remark: /hm/ },
    { what: '__proto__', tables: TABLE, from: '__proto__@demo.test', expected: 'dunno' },
  ]),
  ...about('check_client_access cidr:/t', [
    { what: 'in', tables: { '/t': '203.0.113.0/24 REJECT' }, expected: '554 5.7.1', cost: 0 },
    { what: 'out', tables: { '/t': '203.0.112.0/24 REJECT' }, expected: 'dunno', cost: 0 },
    {
      what: 'the first row counts',
      tables: { '/t': '203.0.113.5 OK\n203.0.113.0/24 REJECT' },
      expected: 'permit',
    },
    {
      what: 'IPv6',
      ip: '2001:db8::7',
      tables: { '/t': '2001:db8::/32 REJECT' },
      expected: '554 5.7.1',
    },
    {
      what: 'mapped',
      ip: '::ffff:203.0.113.5',
      tables: { '/t': '203.0.113.5 OK' },
      expected: 'permit',
    },
  ]),
  ...about('check_client_access hash:/t', [
    { what: 'address', tables: { '/t': '203.0.113.5 OK' }, expected: 'permit', cost: 0 },
    { what: 'its beginning', tables: { '/t': '203.0 OK' }, expected: 'permit', cost: 0 },
    { what: 'another', tables: { '/t': '203.0.1 OK' }, expected: 'dunno', cost: 0 },
    {
      what: 'name that leads back',
      tables: { '/t': 'sender.test OK' },
      zone: NAMED,
      expected: 'permit',
      cost: 2,
    },
    {
      what: 'name that is only claimed',
      tables: { '/t': 'sender.test OK' },
      zone: { [ARPA]: { ptr: ['mx.sender.test'] }, 'mx.sender.test': { a: ['192.0.2.9'] } },
      expected: 'dunno',
    },
    {
      what: 'the address still counts without DNS',
      tables: { '/t': 'sender.test OK\n203.0.113 550 no' },
      zone: { [ARPA]: DEAD },
      expected: '550 5.7.1',
    },
  ]),
  ...about('check_helo_access /t', [
    { what: 'below', tables: TABLE, expected: '554 5.7.9' },
    { what: 'another', tables: TABLE, helo: 'other.test', expected: 'dunno' },
  ]),
  ...about('check_recipient_access /t', [
    { what: 'address', tables: { '/t': 'alice@demo.test 550 5.1.1 gone' }, expected: '550 5.1.1' },
    { what: 'another', tables: { '/t': 'bob@demo.test REJECT' }, expected: 'dunno' },
  ]),
  // those that speak of others
  ...about('warn_if_reject reject_unknown_sender_domain', [
    { what: 'refused', expected: 'dunno', remark: /would defer: sender\.test has neither/ },
    { what: 'fine', zone: { 'sender.test': { mx: [[1, 'mx.test']] } }, expected: 'dunno' },
  ]),
  ...about('warn_if_reject permit, reject', [{ what: 'a permit stays one', expected: 'permit' }]),
  ...about('warn_if_reject reject reject', [
    { what: 'only the next one is told', expected: '554 5.7.1', remark: /would reject/ },
  ]),
  ...about('defer_if_reject reject', [{ what: 'for now', expected: '450 4.7.1' }]),
  ...about('reject_unauth_pipelining defer_if_reject reject', [
    { what: 'those before it are as they were', impatient: true, expected: '503 5.5.0' },
  ]),
];

suite('restrictions that ask', () => {
  for (const one of CASES) {
    test(`${one.list.join(' ')}, ${one.what}: ${one.expected}`, async () => {
      const { verdict, inquiry, questions } = await judge(one);
      assert.equal(summary(verdict), one.expected);
      if (one.cost !== undefined) assert.equal(questions.length, one.cost, questions.join());
      const said = inquiry.notes.map(({ why }) => why).join();
      if (one.remark !== undefined) assert.match(said, one.remark);
      else assert.equal(said, '');
      if (questions.length > 0) {
        const { dns } = inquiry.facts() as { dns: unknown[] };
        assert.equal(dns.length, questions.length, 'every answer goes into the ledger');
      }
    });
  }

  test('no DNS trouble refuses for good, whatever the restriction', async () => {
    const everything = 'sender.test mx.sender.test away.test 5.113.0.203.bad.test'.split(' ');
    const dead: Zone = Object.fromEntries([...everything, ARPA].map((name) => [name, DEAD]));
    for (const name of new Set(CASES.map(({ list }) => list.join(' ')))) {
      if (!/unknown_(?!recipient)|rbl|dnswl/.test(name) || name.includes(', reject')) continue;
      const { verdict } = await judge({ list: [name], zone: dead });
      assert.doesNotMatch(summary(verdict), /^5/, name);
    }
  });
});

function about(list: string, cases: readonly Omit<Case, 'list'>[]): Case[] {
  return cases.map((one) => ({ ...one, list: [list] }));
}

function listed(...a: string[]): Zone {
  return { '5.113.0.203.bad.test': { a, txt: ['for good reason'] } };
}
