/** Exim's configuration as people write it: macros, separators, switches, ACLs, authenticators. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { listOf, readExim } from './file.ts';
import { exim } from './judge.ts';

suite("Exim's configuration", () => {
  const lists: readonly (readonly [text: string, members: readonly string[]])[] = [
    ['127.0.0.1 : ::::1', ['127.0.0.1', '::1']],
    ['127.0.0.1:10.0.0.0/8', ['127.0.0.1', '10.0.0.0/8']],
    ['<; 127.0.0.1 ; ::1', ['127.0.0.1', '::1']],
    ['<, a, b,,c', ['a', 'b,c']],
    ['', []],
  ];
  for (const [text, members] of lists) {
    test(`the list "${text}"`, () => assert.deepEqual(listOf(text), members));
  }

  /** In the main part: what shows the weakness, and what looks like it. */
  const mains: readonly (readonly [id: string, weak: string, fine: string])[] = [
    [
      'relay-wide',
      'NETS = 0.0.0.0/0\nhostlist relay_from_hosts = 127.0.0.1 : NETS',
      'NETS = 10.0.0.0/8\nhostlist relay_from_hosts = 127.0.0.1 : NETS',
    ],
    [
      'relay-wide',
      'hostlist relay_from_hosts = <; ::1 ; ::/0',
      'hostlist relay_from_hosts = <; ::1 ; !::/0',
    ],
    [
      'relay-wide',
      '.ifndef NETS\nNETS = *\n.endif\nhostlist relay_from_hosts = NETS',
      'NETS = 127.0.0.1\n.ifndef NETS\nNETS = *\n.endif\nhostlist relay_from_hosts = NETS',
    ],
    [
      'relay-domains',
      'TO = *\ndomainlist relay_to_domains = a.test : TO',
      'TO = *.test\ndomainlist relay_to_domains = a.test : TO',
    ],
    ['sync-off', 'no_smtp_enforce_sync', 'smtp_enforce_sync'],
    ['helo-junk', 'helo_accept_junk_hosts = 0.0.0.0/0', 'helo_accept_junk_hosts = 192.0.2.1'],
    ['tls-off', 'tls_advertise_hosts = !*', 'tls_advertise_hosts = *'],
    [
      'banner-version',
      'smtp_banner = $primary_hostname Exim 4.96',
      'smtp_banner = $primary_hostname',
    ],
    ['vrfy-on', 'acl_smtp_vrfy = anybody', 'acl_smtp_vrfy = some'],
    ['expn-on', 'acl_smtp_expn = anybody', 'acl_smtp_expn = nobody'],
  ];
  const ACLS = [
    'begin acl',
    'anybody:',
    '  accept',
    'some:',
    '  accept hosts = 127.0.0.1',
    'nobody:',
    '  deny message = not here',
    '  accept',
    '',
  ].join('\n');
  for (const [id, weak, fine] of mains) {
    test(`${id}: ${weak.replaceAll('\n', '; ')}`, () => {
      assert.ok(idsOf(`${weak}\n${ACLS}`).includes(`configuration.exim-${id}`));
      assert.ok(!idsOf(`${fine}\n${ACLS}`).includes(`configuration.exim-${id}`));
    });
  }

  const acls: readonly (readonly [acl: string, open: boolean])[] = [
    ['accept hosts = *', true],
    ['accept domains = *', true],
    ['accept hosts = 0.0.0.0/0', true],
    ['warn delay = 2s\n accept control = submission', true],
    ['deny domains = !+local_domains\n  local_parts = ^[./|]\n accept', true],
    ['accept hosts = :\n accept hosts = +relay_from_hosts', false],
    ['require domains = +local_domains\n accept', false],
    ['deny message = relay\n   domains = !+local_domains : !+relay_to_domains\n accept', false],
    ['accept domains = +local_domains\n deny message = relay not permitted\n accept', false],
    ['accept authenticated = *\n deny', false],
    ['deny\n condition = ${if eq{$sender_host_address}{192.0.2.1}{no}{yes}}\n accept', false],
  ];
  for (const [acl, open] of acls) {
    test(`${open ? 'open' : 'closed'}: ${acl.replaceAll(/\n */g, ', ')}`, () => {
      const ids = idsOf(`acl_smtp_rcpt = rcpt\nbegin acl\nrcpt:\n ${acl}\nbegin routers\n`);
      assert.equal(ids.includes('configuration.exim-acl-open'), open);
    });
  }

  const logins: readonly (readonly [options: string, clear: boolean])[] = [
    ['driver = plaintext\nserver_prompts = :\nserver_condition = yes', true],
    ['driver = plaintext\nserver_condition = yes\nserver_advertise_condition = yes', true],
    [
      'driver = plaintext\nserver_condition = a\nserver_advertise_condition = $tls_in_cipher',
      false,
    ],
    ['driver = cram_md5\nserver_secret = x', false],
    ['driver = plaintext\nclient_send = ^a^b', false],
  ];
  for (const [options, clear] of logins) {
    test(`${clear ? 'in clear' : 'not in clear'}: ${options.replaceAll('\n', ', ')}`, () => {
      const text = `acl_smtp_rcpt = rcpt\nbegin authenticators\nlogin:\n${options}\n`;
      assert.equal(idsOf(text).includes('configuration.exim-auth-in-clear'), clear);
    });
  }

  test('lines are joined, and a macro that names itself ends', () => {
    const { main } = readExim('A = xA\nB = \\\n  # no part of it\n  yA\nsmtp_banner = B \\\n  z\n');
    assert.deepEqual(main, [{ path: 'smtp_banner', value: 'yxA z', line: 5 }]);
  });
});

function idsOf(text: string): string[] {
  return exim.judge(text).map(({ check }) => check.id);
}
