/** The gate: each restriction with its reply, lists in order, and a relay that lists cannot open. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseAddress } from '#base/address.ts';
import type { AccountId, Domain } from '#base/brand.ts';
import { Authenticated } from '#protocol/sasl/authenticated.ts';
import type { Account, Directory, LocalDomain } from '#store/directory.ts';
import type { ClientFacts, Refusal } from '../gate.ts';
import { RelayPermit } from '../relay.ts';
import { inquiry } from '#test/world/inquiry.ts';
import { makeGate } from './gate.ts';
import { parseNetworks } from './networks.ts';
import type { RestrictionList } from './parse.ts';
import { RESTRICTION_NAMES, parseRestrictions } from './parse.ts';

const STRANGER = '203.0.113.5';
const TRUSTED = '10.0.0.9';

interface Lists {
  readonly helo?: readonly string[];
  readonly sender?: readonly string[];
  readonly recipient?: readonly string[];
}

/** One MAIL and one RCPT, by default a stranger's honest mail for alice. */
interface Case {
  readonly from?: string;
  readonly to?: string;
  readonly helo?: string;
  readonly client?: string;
  readonly login?: string;
}

suite('restrictions', () => {
  const cases: readonly (readonly [lists: Lists, mail: Case, expected: string])[] = [
    [{}, {}, 'local-domain'],
    // reject_invalid_helo_hostname
    ...helo('reject_invalid_helo_hostname', '501 5.5.2', {
      refused: [
        '',
        '.',
        '..',
        'a..b',
        '-a.test',
        '../A/',
        'a b.test',
        '192.0.2.1',
        'x'.repeat(9999),
      ],
      fine: ['mx.sender.test', 'mx_1.sender.test', 'mx.sender.test.', 'localhost', '[192.0.2.1]'],
    }),
    ...helo('reject_invalid_helo_hostname', '501 5.5.2', {
      refused: ['[192.0.2.256]', '[]', '[IPv6:zz]', 'a\0b.test', 'a\rb.test', 'xn--a.test'],
      fine: ['[IPv6:::1]', 'b\u00fccher.test'],
    }),
    // reject_non_fqdn_helo_hostname
    ...helo('reject_non_fqdn_helo_hostname', '504 5.5.2', {
      refused: ['localhost', 'mx', 'mx.', ''],
      fine: ['mx.sender.test', '[192.0.2.1]', 'mx.sender.test.'],
    }),
    // reject_non_fqdn_sender, reject_non_fqdn_recipient
    [
      { sender: ['reject_non_fqdn_sender'] },
      { from: 'a@localhost' },
      '504 5.5.2 reject_non_fqdn_sender',
    ],
    [{ sender: ['reject_non_fqdn_sender'] }, { from: 'a@[192.0.2.1]' }, 'local-domain'],
    [{ sender: ['reject_non_fqdn_sender'] }, { from: '' }, 'local-domain'],
    [{ sender: ['reject_non_fqdn_sender'] }, { from: 'a@intranet' }, 'local-domain'],
    [
      { recipient: ['reject_non_fqdn_recipient'] },
      { to: 'a@localhost', client: TRUSTED },
      '504 5.5.2 reject_non_fqdn_recipient',
    ],
    [{ recipient: ['reject_non_fqdn_recipient'] }, { to: 'carol@intranet' }, 'local-domain'],
    // reject_sender_login_mismatch
    ...mismatch([
      [{ from: 'alice@demo.test', login: 'alice@demo.test' }, 'fine'],
      [{ from: 'alice+x@demo.test', login: 'alice@demo.test' }, 'fine'],
      [{ from: 'ALICE@demo.test', login: 'alice@demo.test' }, 'fine'],
      [{ from: 'bob@demo.test', login: 'alice@demo.test' }, 'refused'],
      [{ from: 'bob@demo.test', login: 'alice@demo.test', client: TRUSTED }, 'refused'],
      [{ from: 'alice@elsewhere.test', login: 'alice@demo.test' }, 'refused'],
      [{ from: '"alice@demo.test"@evil.test', login: 'alice@demo.test' }, 'refused'],
      [{ from: '', login: 'alice@demo.test' }, 'fine'],
      [{ from: 'alice@demo.test' }, 'refused'],
      [{ from: 'nobody@demo.test' }, 'fine'],
      [{ from: 'alice@demo.test', client: TRUSTED }, 'fine'],
      [{ from: 'x@sender.test' }, 'fine'],
    ]),
    // reject_unauth_destination, reject_unlisted_recipient
    [
      { recipient: ['reject_unauth_destination'] },
      { to: 'x@elsewhere.test' },
      '554 5.7.1 reject_unauth_destination',
    ],
    [
      { recipient: ['reject_unauth_destination'] },
      { to: 'x@elsewhere.test', login: 'alice@demo.test' },
      '554 5.7.1 reject_unauth_destination',
    ],
    [
      { recipient: ['permit_sasl_authenticated', 'reject_unauth_destination'] },
      { to: 'x@elsewhere.test', login: 'alice@demo.test' },
      'authenticated',
    ],
    [
      { recipient: ['permit_mynetworks', 'reject_unauth_destination'] },
      { to: 'x@elsewhere.test', client: TRUSTED },
      'mynetworks',
    ],
    [
      { recipient: ['reject_unlisted_recipient', 'reject'] },
      { to: 'nobody@demo.test' },
      '550 5.1.1 reject_unlisted_recipient',
    ],
    [
      { recipient: ['reject_unauth_destination'] },
      { to: 'postmaster@[192.0.2.99]' },
      'local-domain',
    ],
    [{}, { to: 'big@demo.test' }, '451 4.3.5 reject_unlisted_recipient'],
    // the plain ones
    [{ recipient: ['reject'] }, {}, '554 5.7.1 reject'],
    [{ recipient: ['defer'] }, {}, '450 4.3.2 defer'],
    [{ recipient: ['permit', 'reject'] }, {}, 'local-domain'],
    [{ helo: ['defer'] }, {}, '450 4.3.2 defer'],
    // a permit ends its own list only
    [{ helo: ['permit'], sender: ['reject'] }, {}, '554 5.7.1 reject'],
    [{ sender: ['permit_mynetworks', 'reject'] }, { client: TRUSTED }, 'local-domain'],
    [{ sender: ['permit_mynetworks', 'reject'] }, {}, '554 5.7.1 reject'],
    // the helo list knows the login, because it is judged at MAIL
    [
      { helo: ['permit_sasl_authenticated', 'reject_non_fqdn_helo_hostname'] },
      { helo: 'laptop', from: 'alice@demo.test', login: 'alice@demo.test' },
      'local-domain',
    ],
    // lists cannot open the relay, nor accept for nobody
    [{}, { to: 'x@elsewhere.test' }, '554 5.7.1 relay'],
    [{ recipient: ['permit'] }, { to: 'x@elsewhere.test' }, '554 5.7.1 relay'],
    [
      { recipient: ['permit'] },
      { to: '"x@elsewhere.test"@demo.test' },
      '550 5.1.1 reject_unlisted_recipient',
    ],
    [
      { recipient: ['permit'] },
      { to: 'x%elsewhere.test@demo.test' },
      '550 5.1.1 reject_unlisted_recipient',
    ],
    [
      { recipient: ['permit'] },
      { to: 'elsewhere.test!x@demo.test' },
      '550 5.1.1 reject_unlisted_recipient',
    ],
    [{ recipient: ['permit'] }, { to: 'x@[192.0.2.98]' }, '554 5.7.1 relay'],
    [{ recipient: ['permit'] }, { to: 'x@elsewhere.test', client: '10.0.1.0' }, '554 5.7.1 relay'],
    [
      { recipient: ['permit'] },
      { to: 'x@elsewhere.test', from: 'alice@demo.test' },
      '554 5.7.1 relay',
    ],
    [{ recipient: ['permit'] }, { to: 'x@elsewhere.test', from: '' }, '554 5.7.1 relay'],
    [
      { recipient: ['permit_mynetworks'] },
      { to: 'nobody@demo.test', client: TRUSTED },
      '550 5.1.1 reject_unlisted_recipient',
    ],
    [{}, { to: 'PostMaster@demo.test' }, 'local-domain'],
  ];
  for (const [lists, mail, expected] of cases) {
    const name = JSON.stringify({ ...lists, ...mail }).slice(0, 120);
    test(`${name}: ${expected}`, () => assert.equal(summary(run(lists, mail)), expected));
  }

  test('a refusal says little to the client and all to the ledger', () => {
    const refusal = run(
      { sender: ['reject_sender_login_mismatch'] },
      {
        from: 'bob@demo.test',
        login: 'alice@demo.test',
      },
    );
    assert.ok(!(refusal instanceof RelayPermit));
    assert.match(refusal.why, /bob@demo\.test .* alice@demo\.test/);
    assert.doesNotMatch(refusal.reply.lines.join(), /alice|bob/);
  });

  test('control characters of a HELO name do not reach the reply or the ledger raw', () => {
    const refusal = run({ helo: ['reject_invalid_helo_hostname'] }, { helo: 'a\r\n250 ok\x1b[2J' });
    assert.ok(!(refusal instanceof RelayPermit));
    assert.doesNotMatch(refusal.why + refusal.reply.lines.join(), /[\x00-\x1f]/);
  });
});

suite('restriction names', () => {
  test('all that the configuration promises are there', () => {
    const promised = [
      'check_client_access check_helo_access check_recipient_access check_sender_access defer',
      'defer_greylisted defer_if_reject defer_over_rate permit permit_dnswl_client permit_mynetworks permit_sasl_authenticated',
      'quarantine_dmarc reject reject_dmarc reject_invalid_helo_hostname',
      'reject_non_fqdn_helo_hostname reject_non_fqdn_recipient reject_non_fqdn_sender',
      'reject_rbl_client reject_sender_login_mismatch reject_spf_fail reject_unauth_destination',
      'reject_unauth_pipelining reject_unknown_client_hostname reject_unknown_helo_hostname',
      'reject_unknown_recipient_domain reject_unknown_reverse_client_hostname',
      'reject_unknown_sender_domain reject_unlisted_recipient reject_unlisted_sender',
      'warn_if_reject',
    ];
    assert.deepEqual(RESTRICTION_NAMES, promised.join(' ').split(' '));
  });

  for (const [typo, meant] of [
    ['reject_unauth_destinations', 'reject_unauth_destination'],
    ['reject_unath_destination', 'reject_unauth_destination'],
    ['permit_my_networks', 'permit_mynetworks'],
    ['permit-mynetworks', 'permit_mynetworks'],
    ['REJECT', 'reject'],
    ['permit_sasl_authentified', 'permit_sasl_authenticated'],
    ['check_clients_access', 'check_client_access'],
    ['', undefined],
    ['__proto__', undefined],
    ['x'.repeat(10_000), undefined],
  ] as const) {
    test(`${typo.slice(0, 40)} is refused, meant was ${meant ?? 'nothing known'}`, () => {
      const result = parseRestrictions(['permit', typo]);
      assert.ok(result.kind === 'errors');
      assert.equal(result.errors.length, 1);
      assert.equal(result.errors[0]?.name, typo);
      assert.equal(result.errors[0]?.suggestion, meant);
    });
  }

  for (const [texts, list, why] of [
    [['check_client_access'], 'client', /needs a table/],
    [['reject_rbl_client', 'permit'], 'client', /needs a zone/],
    [['reject_rbl_client nodot'], 'client', /no domain name/],
    [['reject_rbl_client a.test=127.0.0'], 'client', /has the answers "127.0.0"/],
    [['reject_rbl_client a.test=127.0.0.[9..2]'], 'client', /has the answers/],
    [['check_client_access regexp:/x'], 'client', /type "regexp"/],
    [['check_client_access /missing'], 'client', /cannot be read/],
    [['reject_dmarc'], 'sender', /smtpd_data_restrictions/],
    [['reject_unlisted_recipient'], 'data', /smtpd_recipient_restrictions/],
    [['permit', 'warn_if_reject'], 'recipient', /nothing|no restriction behind/],
  ] as const) {
    test(`${texts.join(' ')} in the ${list} list is refused: ${why}`, () => {
      const result = parseRestrictions(texts, `smtpd_${list}_restrictions`, {
        table: (name) =>
          name.startsWith('regexp:') ? 'is of the type "regexp"' : 'cannot be read',
      });
      assert.ok(result.kind === 'errors');
      assert.match(result.errors[0]?.why ?? '', why);
    });
  }

  test('a list may be written as in Postfix, with commas and blanks', () => {
    const result = parseRestrictions(['permit_mynetworks, reject_rbl_client a.test  reject']);
    assert.ok(result.kind === 'restrictions');
    const names = result.checks.map(({ name }) => name);
    assert.deepEqual(names, ['permit_mynetworks', 'reject_rbl_client', 'reject']);
  });

  test('a check about the recipient in a list that has none yet is refused', () => {
    const result = parseRestrictions(['reject_unauth_destination'], 'smtpd_sender_restrictions');
    assert.ok(result.kind === 'errors');
    assert.match(result.errors[0]?.why ?? '', /smtpd_recipient_restrictions/);
  });
});

function helo(
  rule: string,
  code: string,
  names: { readonly refused: readonly string[]; readonly fine: readonly string[] },
): [Lists, Case, string][] {
  return [
    ...names.refused.map((name): [Lists, Case, string] => [
      { helo: [rule] },
      { helo: name },
      `${code} ${rule}`,
    ]),
    ...names.fine.map((name): [Lists, Case, string] => [
      { helo: [rule] },
      { helo: name },
      'local-domain',
    ]),
  ];
}

function mismatch(
  mails: readonly (readonly [Case, 'fine' | 'refused'])[],
): [Lists, Case, string][] {
  return mails.map(([mail, outcome]) => [
    { sender: ['reject_sender_login_mismatch'] },
    mail,
    outcome === 'fine' ? 'local-domain' : '553 5.7.1 reject_sender_login_mismatch',
  ]);
}

function run(lists: Lists, mail: Case): Refusal | RelayPermit {
  const networks = parseNetworks(['10.0.0.0/24']);
  assert.ok(networks.kind === 'networks');
  const gate = makeGate({
    directory,
    addresses: { isOwnLiteral: (domain) => domain === '[192.0.2.99]' },
    mynetworks: networks.networks,
    heloRestrictions: checks(lists.helo, 'smtpd_helo_restrictions'),
    senderRestrictions: checks(lists.sender, 'smtpd_sender_restrictions'),
    recipientRestrictions: checks(lists.recipient, 'smtpd_recipient_restrictions'),
  });
  const client: ClientFacts = {
    address: mail.client ?? STRANGER,
    helo: mail.helo ?? 'mx.sender.test',
    extended: true,
    secure: undefined,
    login: mail.login === undefined ? undefined : loginOf(mail.login),
  };
  const from = mail.from ?? 'x@sender.test';
  const sender = from === '' ? null : parseAddress(from);
  const recipient = parseAddress(mail.to ?? 'alice@demo.test');
  assert.ok(sender !== undefined && recipient !== undefined);
  const asking = inquiry();
  assert.equal(gate.helo(client, asking), undefined);
  const first = gate.sender(client, sender, asking);
  assert.ok(!(first instanceof Promise), 'no check of these asks anybody');
  const answer = first ?? gate.recipient(client, sender, recipient, asking);
  assert.ok(!(answer instanceof Promise), 'no check of these asks anybody');
  return answer;
}

function checks(names: readonly string[] = [], list: RestrictionList) {
  const result = parseRestrictions(names, list);
  assert.ok(result.kind === 'restrictions', JSON.stringify(result));
  return result.checks;
}

function summary(result: Refusal | RelayPermit): string {
  if (result instanceof RelayPermit) return result.reason;
  return `${result.reply.code} ${result.reply.enhanced} ${result.rule}`;
}

function loginOf(address: string): Authenticated {
  const account = directory.account(address)?.id ?? (0 as AccountId);
  return Authenticated.verified({ account, address }, 'PLAIN');
}

const accounts = new Map<string, Account>(
  ['alice@demo.test', 'bob@demo.test', 'carol@intranet'].map((address, index) => [
    address,
    { id: (index + 1) as AccountId, address, enabled: true, createdMs: 0 },
  ]),
);
const domains = new Map<string, LocalDomain>(
  ['demo.test', 'intranet'].map((name) => [name, { name: name as Domain, catchAll: undefined }]),
);
const targets = Array.from({ length: 1_001 }, (_, index) => `n${index}@elsewhere.test`);
const directory: Directory = {
  domains: () => [...domains.values()],
  domain: (name) => domains.get(name),
  accounts: () => [...accounts.values()],
  account: (address) => accounts.get(address),
  accountById: (id) => [...accounts.values()].find((account) => account.id === id),
  credentials: () => undefined,
  aliases: () => [],
  alias: (address) => (address === 'big@demo.test' ? { address, targets } : undefined),
};
