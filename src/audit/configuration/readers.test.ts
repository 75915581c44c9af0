/** Each rule about Dovecot, OpenSMTPD and Exim: found in a weak file, silent about a careful one. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { noteShown } from '#test/world/shown.ts';
import type { Check } from '../check.ts';
import { checksOf, PROBES } from '../probes/all.ts';
import { besides, configurationFindings, readerFor } from './findings.ts';
import * as registry from './index.ts';

const { dovecot, exim, opensmtpd } = registry;

const GOOD_DOVECOT = [
  'ssl = required',
  'ssl_min_protocol = TLSv1.2',
  'auth_mechanisms = plain login',
  'login_greeting = ready',
  'passdb {',
  '  driver = passwd-file',
  '  args = scheme=ARGON2ID /etc/dovecot/users',
  '}',
  'service lmtp {',
  '  unix_listener /var/spool/postfix/private/lmtp {',
  '    mode = 0600',
  '  }',
  '}',
];
const GOOD_SMTPD = [
  'pki mx cert "/etc/ssl/mx.pem"',
  'listen on lo0',
  'listen on egress tls pki mx',
  'listen on egress port 587 tls-require pki mx auth mask-src',
  'action "local" maildir alias <aliases>',
  'action "outbound" relay',
  'match from any for domain "example.org" action "local"',
  'match from local for any action "outbound"',
  'match auth from any for any action "outbound"',
];
const GOOD_EXIM = [
  'domainlist local_domains = @ : example.org',
  'domainlist relay_to_domains =',
  'hostlist relay_from_hosts = localhost : 127.0.0.1',
  'acl_smtp_rcpt = acl_check_rcpt',
  'smtp_banner = $smtp_active_hostname ESMTP',
  'auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}',
  'begin acl',
  'acl_check_rcpt:',
  '  accept hosts = +relay_from_hosts',
  '  require message = relay not permitted',
  '          domains = +local_domains : +relay_to_domains',
  '  accept',
  'everybody:',
  '  accept hosts = *',
  'begin authenticators',
  'plain_login:',
  '  driver = plaintext',
  '  public_name = PLAIN',
];

suite('configuration readers', () => {
  const files = new Map([
    [dovecot, GOOD_DOVECOT],
    [opensmtpd, GOOD_SMTPD],
    [exim, GOOD_EXIM],
  ]);
  /** Lines are laid over those of the same name in the good file; others come last, Exim's first. */
  const cases: readonly (readonly [typeof dovecot, id: Check['id'], lines: readonly string[]])[] = [
    [dovecot, 'configuration.dovecot-ssl-off', ['ssl = no']],
    [dovecot, 'configuration.dovecot-auth-in-clear', ['ssl = yes', 'disable_plaintext_auth = no']],
    [dovecot, 'configuration.dovecot-auth-in-clear', ['ssl = yes', 'auth_allow_cleartext = yes']],
    [dovecot, 'configuration.dovecot-anonymous', ['auth_mechanisms = plain anonymous']],
    [dovecot, 'configuration.dovecot-weak-mechanisms', ['auth_mechanisms = plain cram-md5']],
    [dovecot, 'configuration.dovecot-tls-old', ['ssl_min_protocol = TLSv1']],
    [dovecot, 'configuration.dovecot-greeting', ['login_greeting = Dovecot ready.']],
    [dovecot, 'configuration.dovecot-no-delay', ['auth_failure_delay = 0']],
    [
      dovecot,
      'configuration.dovecot-passwords-plain',
      ['passdb {', '  args = scheme=PLAIN /etc/users', '}'],
    ],
    [
      dovecot,
      'configuration.dovecot-passwords-plain',
      ['passdb {', '  default_pass_scheme = PLAIN', '}'],
    ],
    [dovecot, 'configuration.dovecot-trusted-networks', ['login_trusted_networks = 0.0.0.0/0']],
    [
      dovecot,
      'configuration.dovecot-exposed-listeners',
      ['service lmtp {', 'inet_listener lmtp {', 'address = 0.0.0.0', 'port = 24', '}', '}'],
    ],
    [dovecot, 'configuration.dovecot-passwords-in-log', ['auth_debug_passwords = yes']],
    [opensmtpd, 'configuration.opensmtpd-open-relay', ['match from any for any action "outbound"']],
    [
      opensmtpd,
      'configuration.opensmtpd-open-relay',
      ['match from src "0.0.0.0/0" for domain "*" action "outbound"'],
    ],
    [opensmtpd, 'configuration.opensmtpd-tls-off', ['listen on 0.0.0.0']],
    [
      opensmtpd,
      'configuration.opensmtpd-auth-in-clear',
      ['listen on 0.0.0.0 port 587 tls pki mx auth mask-src'],
    ],
    [
      opensmtpd,
      'configuration.opensmtpd-source-shown',
      ['listen on 0.0.0.0 port 465 smtps pki mx auth'],
    ],
    [exim, 'configuration.exim-relay-wide', ['hostlist relay_from_hosts = 127.0.0.1 : 0.0.0.0/0']],
    [exim, 'configuration.exim-relay-wide', ['hostlist relay_from_hosts = *']],
    [exim, 'configuration.exim-relay-domains', ['domainlist relay_to_domains = *']],
    [exim, 'configuration.exim-acl-open', ['acl_smtp_rcpt = everybody']],
    [exim, 'configuration.exim-auth-in-clear', ['auth_advertise_hosts = *']],
    [exim, 'configuration.exim-tls-off', ['tls_advertise_hosts =']],
    [exim, 'configuration.exim-vrfy-on', ['acl_smtp_vrfy = accept']],
    [exim, 'configuration.exim-expn-on', ['acl_smtp_expn = acl_check_expn']],
    [exim, 'configuration.exim-banner-version', ['smtp_banner = $version_number']],
    [exim, 'configuration.exim-percent-hack', ['percent_hack_domains = *']],
    [exim, 'configuration.exim-sync-off', ['smtp_enforce_sync = false']],
    [exim, 'configuration.exim-helo-junk', ['helo_accept_junk_hosts = *']],
  ];
  for (const [reader, id, lines] of cases) {
    test(`${reader.product}: ${id}: ${lines.join('; ')}`, () => {
      const good = files.get(reader) ?? [];
      const names = new Set(lines.map((line) => line.split('=')[0]?.trim()));
      const kept = good.filter(
        (line) => !line.includes(' =') || !names.has(line.split('=')[0]?.trim()),
      );
      const ids: readonly string[] = reader
        // Behind `begin` an option of the main part is none.
        .judge((reader === exim ? [...lines, ...kept] : [...kept, ...lines]).join('\n'))
        .map(({ check }) => check.id);
      noteShown(ids.map((shown) => ({ id: shown, confidence: 'confirmed' })));
      assert.ok(ids.includes(id), ids.join(' '));
    });
  }

  for (const [reader, good] of files) {
    test(`${reader.product}: a careful file, and who reads it`, () => {
      assert.deepEqual(reader.judge(good.join('\n')), []);
      noteShown(reader.checks.map(({ id }) => ({ id, confidence: 'not-observed' })));
      const readers = Object.values(registry).filter((one) => one.recognises(good.join('\n')));
      assert.deepEqual(
        readers.map(({ product }) => product),
        [reader.product],
      );
    });
    test(`${reader.product}: every rule is tried above`, () => {
      const tried = new Set(cases.filter(([one]) => one === reader).map(([, id]) => id));
      assert.deepEqual(
        reader.checks.filter(({ id }) => !tried.has(id)),
        [],
      );
    });
  }

  test('checks that see the same from outside exist', () => {
    const known = new Set<string>(checksOf(PROBES).map(({ id }) => id));
    const named = Object.values(registry).flatMap(({ live }) => [...live.values()].flat());
    assert.deepEqual(
      named.filter((id) => !known.has(id)),
      [],
    );
  });

  test('file, server and standard side by side', () => {
    const text = 'ssl = no\nlogin_greeting = ready\nauth_mechanisms = plain\n';
    const reader = readerFor(text);
    assert.equal(reader, dovecot);
    const findings = configurationFindings(dovecot, text, 'dovecot.conf', '2026-01-01');
    const [first] = findings;
    assert.ok(first !== undefined);
    assert.equal(first.confidence, 'confirmed');
    const server = [
      { ...first, id: 'plaintext.no-tls', confidence: 'not-observed' as const, details: {} },
      { ...first, id: 'fingerprint.greeting-product' },
    ];
    const told = besides(dovecot, findings, server).map(
      ({ title, configuration, server: does, verdict }) => [title, configuration, does, verdict],
    );
    assert.deepEqual(told.slice(0, 2), [
      [
        'IMAP and POP3 have no TLS',
        'weak',
        'fine',
        'the server is stricter: another setting, or another service, closes it',
      ],
      [
        'Passwords are taken without TLS',
        'fine',
        'not told',
        'the server was not asked, or did not tell',
      ],
    ]);
    assert.deepEqual(told.at(-1), [
      'The greeting names the product',
      'fine',
      'weak',
      'the server is weaker: another setting or service opens it, or it runs another file',
    ]);
  });

  test('a weakness says its line', () => {
    assert.equal(exim.judge('# x\nhelo_accept_junk_hosts = *\n')[0]?.line, undefined);
    const lines = exim.judge('# x\nhelo_accept_junk_hosts = *\n').map(({ line }) => line);
    assert.ok(lines.includes(2));
  });

  test('long lines and deep blocks take linear time', () => {
    const blocks = 'a {\n'.repeat(100_000);
    const blanks = `x${' '.repeat(1_000_000)}y`;
    for (const reader of Object.values(registry)) {
      reader.recognises(blanks);
      reader.judge(blanks);
      reader.judge(blocks);
    }
  });
});
