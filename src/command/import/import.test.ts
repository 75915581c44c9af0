/** A grown main.cf with its tables: every line ends somewhere, and what comes out can be started. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { readConfiguration } from '../configuration/read.ts';
import { EXIT } from '../exit.ts';
import { inFolder, run } from '../testing.ts';
import { formatSettings, importPostfix } from './postfix.ts';
import { peopleScript } from './write.ts';

const FACTS = { hostname: 'mx.example.org', stateDirectory: '/tmp/none', gateways: [] };

const FILES: Readonly<Record<string, string>> = {
  '/etc/mailname': 'example.org\n',
  '/etc/passwd': 'root:x:0:0::/root:/bin/sh\nanna:x:1000:1000::/home/anna:/bin/sh\n',
  '/etc/aliases':
    'postmaster: root\nroot: anna\nprog: "|/usr/bin/vacation"\nlist: anna, bob@x.test\n',
  '/etc/postfix/virtual':
    'info@example.net  anna@example.org, bob@example.org\n@example.net anna@example.org\n',
  '/etc/postfix/vmailbox': 'bob@example.net  example.net/bob/\n@example.net x\n',
  '/etc/postfix/transport':
    'partner.test  smtp:[192.0.2.9]:2525\n*  smtp:[other.test]\nlocal.test  local:\n',
  '/etc/postfix/sasl': '[smtp.isp.test]:587  me@isp.test:pa ss:word\n',
};

const MAIN_CF = [
  'myhostname = mx.example.org',
  'mydomain = example.org',
  'myorigin = /etc/mailname',
  'mydestination = $mydomain, localhost, localhost.$mydomain, mysql:/etc/postfix/d.cf',
  'virtual_mailbox_domains = example.net',
  'virtual_mailbox_maps = hash:/etc/postfix/vmailbox',
  'virtual_alias_maps = hash:/etc/postfix/virtual, regexp:/etc/postfix/r',
  'mynetworks = 127.0.0.0/8 192.0.2.0/24 0.0.0.0/0 cidr:/etc/postfix/nets',
  'relayhost = [smtp.isp.test]:587',
  'smtp_sasl_password_maps = hash:/etc/postfix/sasl',
  'transport_maps = hash:/etc/postfix/transport',
  'message_size_limit = 26214400',
  'mailbox_size_limit = 0',
  'maximal_queue_lifetime = 2',
  'delay_warning_time = 90m',
  'smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination',
  'smtpd_recipient_restrictions = reject_non_fqdn_recipient,',
  '  check_policy_service unix:private/policy, reject_unlisted_recipient',
  'smtpd_milters = inet:localhost:8891',
  'smtpd_timeout = soon',
  'line_length_limit = 7',
  'my_own = $myhostname',
  'nonsense',
];

function listOf(lists: string): unknown {
  const text = `myhostname = mx.example.org\n${lists}`;
  const { settings } = importPostfix(text, (path) => FILES[path], FACTS);
  return Object.fromEntries(settings)['smtpd_data_restrictions'];
}

suite('config import', () => {
  const imported = importPostfix(MAIN_CF.join('\n'), (path) => FILES[path], FACTS);
  const settings = Object.fromEntries(imported.settings);

  test('a data list of theirs does not take DMARC away, which was the work of milters', () => {
    const dmarc = ['reject_dmarc', 'quarantine_dmarc'];
    assert.deepEqual(listOf('smtpd_data_restrictions = reject_unauth_pipelining'), [
      'reject_unauth_pipelining',
      ...dmarc,
    ]);
    assert.deepEqual(listOf('smtpd_data_restrictions = check_policy_service inet:x'), dmarc);
    // Without one the default holds, which has both.
    assert.equal(listOf(''), undefined);
  });

  test('what means the same is taken over', () => {
    assert.deepEqual(JSON.parse(JSON.stringify(settings)), {
      myhostname: 'mx.example.org',
      myorigin: 'example.org',
      relayhost: '[smtp.isp.test]:587',
      relayhost_login: 'me@isp.test',
      relayhost_password_file: 'relayhost-password',
      message_size_limit: 26_214_400,
      maximal_queue_lifetime: '2d',
      delay_warning_time: '90m',
      mynetworks: ['127.0.0.0/8', '192.0.2.0/24'],
      smtpd_recipient_restrictions: [
        'permit_mynetworks',
        'reject_unauth_destination',
        'reject_non_fqdn_recipient',
        'reject_unlisted_recipient',
      ],
      transport_maps: { 'partner.test': '[192.0.2.9]:2525' },
    });
    assert.deepEqual(imported.relayLogin, { login: 'me@isp.test', password: 'pa ss:word' });
  });

  test('what comes out is a configuration', () => {
    assert.equal(readConfiguration(formatSettings(imported.settings), FACTS).kind, 'good');
  });

  test('who lives there comes along', () => {
    const { domains, accounts, aliases, catchAlls } = imported.people;
    assert.deepEqual([...domains], ['example.org', 'example.net']);
    assert.deepEqual([...accounts], ['bob@example.net', 'anna@example.org']);
    assert.deepEqual(Object.fromEntries(aliases), {
      'info@example.net': ['anna@example.org', 'bob@example.org'],
      'postmaster@example.org': ['root@example.org'],
      'root@example.org': ['anna@example.org'],
      'list@example.org': ['anna@example.org', 'bob@x.test'],
    });
    assert.deepEqual(Object.fromEntries(catchAlls), { 'example.net': 'anna@example.org' });
  });

  test('every line of the file is told', () => {
    const told = new Set([...imported.taken, ...imported.left].map(({ line }) => line));
    const lines = MAIN_CF.flatMap((text, index) => (text.startsWith(' ') ? [] : [index + 1]));
    assert.deepEqual(
      lines.filter((line) => !told.has(line)),
      [],
    );
  });

  /** Part of what was left, and a word of the reason. */
  const left: readonly (readonly [value: string, why: RegExp])[] = [
    ['0.0.0.0/0', /too wide/],
    ['cidr:/etc/postfix/nets', /table/],
    ['mysql:/etc/postfix/d.cf', /plain text/],
    ['regexp:/etc/postfix/r', /plain text/],
    ['check_policy_service unix:private/policy', /no restriction/],
    ['* smtp:[other.test]', /whole domains/],
    ['local.test local:', /whole domains/],
    ['soon', /no time/],
    ['line_length_limit = 7', /./],
    ['@example.net', /one mailbox/],
    ['prog@example.org -> "|/usr/bin/vacation"', /addresses only/],
    ['inet:localhost:8891', /milters/],
    ['mx.example.org', /no such setting/],
    ['', /no "="/],
  ];
  for (const [value, why] of left) {
    test(`left: ${value}`, () => {
      const found = imported.left.filter((one) => one.value === value && why.test(one.why));
      assert.ok(found.length > 0, JSON.stringify(imported.left, null, 1));
    });
  }

  test('what was unsafe there is told', () => {
    const ids = new Set(imported.unsafe.map(({ check }) => check.id));
    assert.ok(ids.has('configuration.postfix-mynetworks-wide'));
    assert.ok(ids.has('configuration.postfix-vrfy-on'));
  });

  test('names in the script cannot leave their quotes', () => {
    const accounts = new Set(["o'$(reboot)`x`@example.org"]);
    const script = peopleScript({ ...imported, people: { ...imported.people, accounts } }, '/c');
    assert.ok(script.includes(`add 'o'\\''$(reboot)\`x\`@example.org' --generate`));
  });

  test('the directory need not be there; what stands in it is not written over', async () => {
    await inFolder(async (folder) => {
      writeFileSync(join(folder, 'main.cf'), 'myhostname = mx.example.org\n');
      const output = join(folder, 'etc', 'postern');
      const words = ['config', 'import', join(folder, 'main.cf'), '--output', output];
      assert.equal((await run(words)).status, EXIT.ok);
      assert.match(readFileSync(join(output, 'postern.toml'), 'utf8'), /mx\.example\.org/);
      const { status, err } = await run(words);
      assert.equal(status, EXIT.cannotCreate);
      assert.match(err, /postern\.toml is there already\. Name another directory/);
    });
  });
});
