/** Each rule about main.cf: found in a weak file, silent about its cure. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { noteShown } from '#test/world/shown.ts';
import { postfix } from './judge.ts';
import { isWide } from './networks.ts';

/** A file about which nothing is to be said. */
const GOOD = [
  'mynetworks = 127.0.0.0/8 [::1]/128',
  'disable_vrfy_command = yes',
  'smtpd_helo_required = yes',
  'smtpd_forbid_bare_newline = yes',
  'smtpd_forbid_unauth_pipelining = yes',
  'smtpd_tls_security_level = may',
  'smtpd_tls_chain_files = /etc/postfix/mx.pem',
  'smtp_tls_security_level = may',
  'smtpd_tls_protocols = >=TLSv1.2',
  'smtpd_tls_mandatory_protocols = >=TLSv1.2',
];

const LOGIN = 'smtpd_sasl_auth_enable = yes';

suite('rules about main.cf', () => {
  /** Lines that show it, lines that look like it. */
  const cases: readonly (readonly [id: string, weak: string[], fine: string[]])[] = [
    [
      'configuration.postfix-mynetworks-wide',
      ['mynetworks = 0.0.0.0/0'],
      ['mynetworks = 192.168.0.0/16 !10.0.0.1'],
    ],
    [
      'configuration.postfix-mynetworks-wide',
      ['mynetworks = 127.0.0.0/8, 203.0.112.0/20'],
      ['mynetworks = [fd00::]/8'],
    ],
    ['configuration.postfix-relay-unrestricted', ['smtpd_relay_restrictions = permit'], []],
    [
      'configuration.postfix-relay-unrestricted',
      ['smtpd_relay_restrictions = warn_if_reject reject_unauth_destination, permit'],
      ['smtpd_relay_restrictions = warn_if_reject reject_non_fqdn_recipient, reject'],
    ],
    [
      'configuration.postfix-relay-unrestricted',
      ['smtpd_relay_restrictions = check_client_access static:OK, reject_unauth_destination'],
      ['smtpd_relay_restrictions = check_client_access inline:{a=OK}, reject_unauth_destination'],
    ],
    [
      'configuration.postfix-relay-unrestricted',
      ['smtpd_relay_restrictions = check_helo_access cidr:{{0.0.0.0/0 OK}}, reject'],
      ['smtpd_relay_restrictions = check_client_access cidr:{{10.0.0.0/8 OK}}, reject'],
    ],
    [
      'configuration.postfix-relay-unrestricted',
      ['smtpd_restriction_classes = all', 'all = permit', 'smtpd_relay_restrictions = all, reject'],
      [
        'smtpd_restriction_classes = mx',
        'mx = permit_mynetworks, reject_unauth_destination',
        'smtpd_relay_restrictions = mx',
      ],
    ],
    [
      'configuration.postfix-relay-unrestricted',
      [
        'smtpd_tls_CAfile = /etc/ssl/certs/ca-certificates.crt',
        'smtpd_relay_restrictions = permit_tls_all_clientcerts, reject_unauth_destination',
      ],
      [
        'smtpd_tls_CAfile = /etc/postfix/users-ca.pem',
        'smtpd_relay_restrictions = permit_tls_all_clientcerts, reject_unauth_destination',
      ],
    ],
    [
      'configuration.postfix-relay-unrestricted',
      ['smtpd_relay_restrictions =', 'smtpd_recipient_restrictions = permit, reject'],
      ['smtpd_relay_restrictions =', 'smtpd_recipient_restrictions = reject_unauth_destination'],
    ],
    [
      'configuration.postfix-untrusted-routing',
      ['allow_untrusted_routing = yes'],
      ['allow_untrusted_routing = no'],
    ],
    ['configuration.postfix-xclient-open', ['smtpd_authorized_xclient_hosts = 0.0.0.0/0'], []],
    ['configuration.postfix-proxy-protocol', ['smtpd_upstream_proxy_protocol = haproxy'], []],
    [
      'configuration.postfix-proxy-protocol',
      ['postscreen_upstream_proxy_protocol = haproxy'],
      ['postscreen_upstream_proxy_protocol ='],
    ],
    [
      'configuration.postfix-sender-login',
      [LOGIN, 'smtpd_sender_login_maps = hash:/x'],
      [
        LOGIN,
        'smtpd_sender_login_maps = hash:/x',
        'smtpd_data_restrictions = reject_known_sender_login_mismatch',
      ],
    ],
    [
      'configuration.postfix-sender-login',
      [LOGIN, 'smtpd_tls_auth_only = yes'],
      [
        LOGIN,
        'smtpd_tls_auth_only = yes',
        'smtpd_sender_login_maps = hash:/x',
        'smtpd_sender_restrictions = reject_sender_login_mismatch',
      ],
    ],
    ['configuration.postfix-vrfy-on', ['disable_vrfy_command = no'], []],
    [
      'configuration.postfix-banner-version',
      ['smtpd_banner = x $mail_version'],
      ['smtpd_banner = mx ESMTP'],
    ],
    ['configuration.postfix-login-in-received', ['smtpd_sasl_authenticated_header = yes'], []],
    [
      'configuration.postfix-accept-then-bounce',
      ['local_recipient_maps ='],
      ['local_recipient_maps =', 'luser_relay=a'],
    ],
    [
      'configuration.postfix-accept-then-bounce',
      ['smtpd_reject_unlisted_recipient = no'],
      [
        'smtpd_reject_unlisted_recipient = no',
        'smtpd_recipient_restrictions = reject_unlisted_recipient',
      ],
    ],
    [
      'configuration.postfix-accept-then-bounce',
      ['local_recipient_maps =', 'local_transport = local:'],
      ['local_recipient_maps =', 'local_transport = error:no mailboxes here'],
    ],
    [
      'configuration.postfix-accept-then-bounce',
      ['local_recipient_maps =', 'mydestination = example.org'],
      ['local_recipient_maps =', 'mydestination ='],
    ],
    ['configuration.postfix-relay-recipients', ['relay_domains = p.test'], ['relay_domains =']],
    [
      'configuration.postfix-relay-recipients',
      ['relay_domains = p.test'],
      [
        'relay_domains = p.test',
        'smtpd_recipient_restrictions = reject_unauth_destination, reject_unverified_recipient',
      ],
    ],
    [
      'configuration.postfix-relay-recipients',
      ['relay_domains = $mydestination, p.test'],
      ['relay_domains = $mydestination'],
    ],
    ['configuration.postfix-unknown-450', ['unknown_local_recipient_reject_code = 450'], []],
    [
      'configuration.postfix-tls-in-off',
      ['smtpd_tls_security_level ='],
      ['smtpd_tls_security_level = encrypt'],
    ],
    [
      'configuration.postfix-tls-in-off',
      ['smtpd_tls_security_level = may', 'smtpd_tls_chain_files ='],
      ['smtpd_tls_chain_files =', 'smtpd_tls_eccert_file = /etc/postfix/mx.pem'],
    ],
    ['configuration.postfix-auth-in-clear', [LOGIN], ['smtpd_sasl_auth_enable = no']],
    [
      'configuration.postfix-auth-in-clear',
      [LOGIN, 'smtpd_sasl_security_options = noanonymous'],
      [LOGIN, 'smtpd_sasl_security_options = noanonymous, noplaintext'],
    ],
    ['configuration.postfix-anonymous-login', [LOGIN, 'smtpd_sasl_security_options ='], []],
    ['configuration.postfix-tls-old', ['smtpd_tls_mandatory_protocols = !SSLv2, !SSLv3'], []],
    [
      'configuration.postfix-tls-old',
      ['smtpd_tls_protocols = TLSv1'],
      ['smtpd_tls_protocols = !SSLv2, !SSLv3, !TLSv1, !TLSv1.1'],
    ],
    [
      'configuration.postfix-tls-ciphers',
      ['smtpd_tls_ciphers = export'],
      ['smtpd_tls_ciphers = high'],
    ],
    [
      'configuration.postfix-tls-out-off',
      ['smtp_tls_security_level = none'],
      ['smtp_tls_security_level = dane'],
    ],
    [
      'configuration.postfix-bare-newline',
      ['smtpd_forbid_bare_newline = no'],
      ['smtpd_forbid_bare_newline = normalize'],
    ],
    [
      'configuration.postfix-bare-newline',
      ['smtpd_forbid_bare_newline = note'],
      ['smtpd_forbid_bare_newline = reject'],
    ],
    [
      'configuration.postfix-bare-newline',
      ['smtpd_forbid_bare_newline_exclusions = 0.0.0.0/0'],
      ['smtpd_forbid_bare_newline_exclusions = $mynetworks'],
    ],
    [
      'configuration.postfix-pipelining',
      ['smtpd_forbid_unauth_pipelining = no'],
      ['smtpd_forbid_unauth_pipelining = no', 'smtpd_data_restrictions = reject_unauth_pipelining'],
    ],
    [
      'configuration.postfix-pipelining',
      ['smtpd_forbid_unauth_pipelining = no', 'smtpd_data_restrictions ='],
      [
        'smtpd_forbid_unauth_pipelining = no',
        'smtpd_recipient_restrictions = reject_unauth_pipelining',
      ],
    ],
    ['configuration.postfix-helo-required', ['smtpd_helo_required = no'], []],
    ['configuration.postfix-no-size-limit', ['message_size_limit = 0'], []],
    ['configuration.postfix-error-limit', ['smtpd_hard_error_limit = 100000'], []],
    [
      'configuration.postfix-error-limit',
      ['smtpd_error_sleep_time = 0'],
      ['smtpd_error_sleep_time = 0', 'smtpd_hard_error_limit = 3'],
    ],
  ];
  for (const [id, weak, fine] of cases) {
    test(`${id}: ${weak.join('; ')}`, () => {
      assert.ok(idsOf(weak).includes(id));
      assert.ok(!idsOf(fine).includes(id));
    });
  }

  test('nothing is said about a careful file', () => assert.deepEqual(idsOf([]), []));

  test('every rule is tried above', () => {
    const tried = new Set<string>(cases.map(([id]) => id));
    assert.deepEqual(
      postfix.checks.filter(({ id }) => !tried.has(id)),
      [],
    );
  });

  test('a weakness says its line, a default has none', () => {
    const found = postfix.judge('smtpd_helo_required = no\n');
    assert.equal(found.find(({ parameter }) => parameter === 'smtpd_helo_required')?.line, 1);
    assert.equal(
      found.find(({ parameter }) => parameter === 'disable_vrfy_command')?.line,
      undefined,
    );
  });

  const networks: readonly (readonly [member: string, wide: boolean])[] = [
    ['0.0.0.0/0', true],
    ['::/0', true],
    ['[::]/0', true],
    ['static:all', true],
    ['8.0.0.0/8', true],
    ['10.0.0.0/8', false],
    ['10.0.0.0/7', true],
    ['203.0.113.0/24', false],
    ['203.0.113.7', false],
    ['[::ffff:127.0.0.0]/104', false],
    ['[::ffff:0.0.0.0]/96', true],
    ['[::1]/128', false],
    ['[::1]/16', true],
    ['[fe80::]/64', false],
    ['[fe80::]/8', true],
    ['169.254.0.0/16', false],
    ['[2001:db8::]/32', true],
    ['[2001:db8::]/48', false],
    ['cidr:/etc/postfix/networks', false],
    ['!0.0.0.0/0', false],
    ['nonsense/0', false],
  ];
  for (const [member, wide] of networks) {
    test(`${member} is ${wide ? '' : 'not '}too wide`, () => assert.equal(isWide(member), wide));
  }
});

function idsOf(lines: readonly string[]): string[] {
  const names = new Set(lines.map((line) => line.split('=')[0]?.trim()));
  const others = GOOD.filter((line) => !names.has(line.split('=')[0]?.trim()));
  const found = new Set(
    postfix.judge([...others, ...lines].join('\n')).map(({ check }) => check.id),
  );
  noteShown(
    postfix.checks.map(({ id }) => ({
      id,
      confidence: found.has(id) ? 'confirmed' : 'not-observed',
    })),
  );
  return [...found];
}
