/** Configuration files, good ones and each kind of broken one. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assert as check, property, string } from 'fast-check';
import { formatProblem, readConfiguration } from './read.ts';
import { SETTINGS } from './settings.ts';

const FACTS = {
  hostname: 'mail.example.org',
  stateDirectory: '/var/lib/postern',
  gateways: ['10.0.0.1'],
};

function good(toml: string) {
  const result = readConfiguration(toml, FACTS);
  assert.equal(result.kind, 'good', JSON.stringify(result));
  return result.kind === 'good' ? result.settings : assert.fail();
}

function problems(toml: string): readonly string[] {
  const result = readConfiguration(toml, FACTS);
  return result.kind === 'good' ? [] : result.problems.map((one) => formatProblem('p.toml', one));
}

describe('a good configuration', () => {
  test('an empty file gives every default', () => {
    const settings = good('');
    assert.equal(settings.myhostname, 'mail.example.org');
    assert.equal(settings.myorigin, undefined);
    assert.equal(settings.maximal_queue_lifetime, 5 * 86_400_000);
    assert.equal(settings.message_size_limit, 50 * 1024 * 1024);
    assert.deepEqual(settings.smtp_listen, [{ host: undefined, port: 25 }]);
    assert.equal(settings.relayhost, undefined);
    assert.equal(settings.data_directory, '/var/lib/postern');
    assert.equal(Object.keys(settings).length, SETTINGS.size);
  });

  test('every kind of value is read', () => {
    const settings = good(
      `
      myhostname = "MX.Example.NET"
      myorigin = "Example.net."
      smtp_listen = [25, "127.0.0.1:2525", "[::1]:2525"]
      message_size_limit = 1048576
      relayhost = "[smart.example.org]:587"
      smtpd_upstream_proxy_hosts = ["10.0.0.0/8", "2001:db8::/32"]
      minimal_backoff_time = "90s"
    `,
    );
    assert.equal(settings.myhostname, 'mx.example.net');
    assert.equal(settings.myorigin, 'example.net');
    assert.deepEqual(settings.smtp_listen[1], { host: '127.0.0.1', port: 2525 });
    assert.deepEqual(settings.smtp_listen[2], { host: '::1', port: 2525 });
    assert.equal(settings.message_size_limit, 1_048_576);
    assert.deepEqual(settings.relayhost, { host: 'smart.example.org', port: 587, mx: false });
    assert.deepEqual(settings.smtpd_upstream_proxy_hosts, ['10.0.0.0/8', '2001:db8::/32']);
    assert.equal(settings.minimal_backoff_time, 90_000);
  });

  test('tables are maps; an empty next hop means by MX', () => {
    const settings = good(
      '[transport_maps]\n"example.net" = "relay.example.net:2525"\n"example.org" = ""\n',
    );
    assert.deepEqual(settings.transport_maps.get('example.net'), {
      host: 'relay.example.net',
      port: 2525,
      mx: true,
    });
    assert.equal(settings.transport_maps.get('example.org'), undefined);
    assert.equal(settings.transport_maps.size, 2);
  });
});

/** A file, and a pattern for each error that must be told, in order of lines. */
const BROKEN: readonly (readonly [what: string, toml: string, ...errors: RegExp[]])[] = [
  [
    'a typo',
    'myhostnam = "a.b"',
    /^p\.toml:1: myhostnam is no setting\. Did you mean myhostname\?/,
  ],
  ['swapped letters', '\n\nmesage_size_limit = "5M"', /^p\.toml:3: .*mean message_size_limit\?/],
  ['nothing near', 'colour = "blue"', /^p\.toml:1: colour is no setting\. See `postern config/],
  ['an unknown table', '# c\n[smtpd]\nx = 1', /^p\.toml:2: smtpd is no setting/],
  ['a duration without unit', 'smtpd_timeout = 300', /^p\.toml:1: smtpd_timeout must be text, a/],
  [
    'a duration of another kind',
    'smtpd_timeout = "5 min"',
    /smtpd_timeout must be a duration such/,
  ],
  ['a duration too short', 'imap_idle_timeout = "5m"', /must lie between 30m and 24h, not 5m/],
  [
    'a size of another kind',
    'message_size_limit = "big"',
    /message_size_limit must be a size such/,
  ],
  ['a size too small', 'message_size_limit = "1K"', /must be between 64K and 2G, not "1K"/],
  ['a negative size', 'message_size_limit = -5', /message_size_limit must be a size/],
  ['a fraction', 'smtpd_recipient_limit = 100.5', /must be a whole number from 100 to 50000/],
  ['a count too small', 'smtpd_recipient_limit = 5', /whole number from 100 to 50000, not 5/],
  ['text for a switch', 'verify_for_authenticated = "yes"', /must be true or false without quotes/],
  ['a word unknown', 'smtp_tls_security_level = "fingerprint"', /one of "none", "may", "encrypt"/],
  ['a scalar for a list', 'smtp_listen = "25"', /smtp_listen must be a list.*in \[ \]/],
  ['a member', 'smtp_listen = [25, "x"]', /^p\.toml:1: smtp_listen\[1\] must be a port or address/],
  ['a port too large', 'smtp_listen = [65536]', /smtp_listen\[0\] must be a port/],
  ['a port without address', 'smtp_listen = [":25"]', /smtp_listen\[0\] must be a port/],
  ['a short name', 'myhostname = "mail"', /myhostname must be a full name with a dot, not "mail"/],
  ['a bad name', 'myhostname = "a b.c"', /myhostname must be a domain name/],
  ['a date', 'myhostname = 2026-01-01', /myhostname must be text/],
  ['a network too long', 'smtpd_upstream_proxy_hosts = ["10.0.0.0/33"]', /longer than 32/],
  ['a bad relayhost', 'relayhost = "[a.b:25"', /relayhost must be a next hop/],
  [
    'a bad entry',
    '[transport_maps]\n"a.b" = "x y"',
    /^p\.toml:2: transport_maps\[a\.b\] must be a next hop/,
  ],
  ['a key without certificate', 'smtpd_tls_key_file = "k"', /set without smtpd_tls_cert_file/],
  ['a certificate without key', 'smtpd_tls_cert_file = "c"', /Set smtpd_tls_key_file too/],
  ['one file for a name', 'tls_server_sni_maps = { "a.b" = ["c"] }', /must name two files/],
  ['times', 'minimal_backoff_time = "5h"', /minimal_backoff_time is longer than maximal_backoff/],
  ['public figures', 'metrics_listen = [9125]', /metrics_listen must name a loopback address/],
  ['open figures', 'metrics_listen = ["0.0.0.0:9125"]', /metrics_listen must name a loopback/],
  ['one port twice', 'imap_listen = [25]', /imap_listen has port 25, which smtp_listen has/],
  [
    'a family switched off',
    'inet_protocols = "ipv4"\nsmtp_listen = ["[::1]:25"]',
    /^p\.toml:2: smtp_listen names ::1, but inet_protocols is ipv4/,
  ],
  ['an unlisted resolver', 'resolver_validating = ["127.0.0.1"]', /not in resolver_addresses/],
  ['the world', 'mynetworks = ["0.0.0.0/0"]', /^p\.toml:1: mynetworks has "0.0.0.0\/0".*world/],
  ['the gateway', 'mynetworks = ["10.0.0.0/8"]', /mynetworks has "10.0.0.0\/8".*gateway/],
  ['host bits', 'mynetworks = ["192.0.2.1/24"]', /host bits set; the network is 192.0.2.0\/24/],
  ['no network', 'mynetworks = ["office"]', /mynetworks\[0\] must be a network/],
  [
    'a restriction with a typo',
    '\nsmtpd_helo_restrictions = ["reject_invalid_helo_hostnam"]',
    /^p\.toml:2: smtpd_helo_restrictions has .*Did you mean reject_invalid_helo_hostname\?/,
  ],
  [
    'a restriction in the wrong list',
    'smtpd_sender_restrictions = ["reject_unauth_destination"]',
    /judges the recipient: it belongs into smtpd_recipient_restrictions/,
  ],
  ['a login alone', 'relayhost_login = "a"', /relayhost_login is set without relayhost_password/],
  [
    'a login for nobody',
    'relayhost_login = "a"\nrelayhost_password_file = "f"',
    /^p\.toml:1: relayhost_login is set without relayhost\./,
  ],
  ['no TOML', 'myhostname "a.b"', /^p\.toml:1: This is no TOML/],
  ['half a string', '\nmyhostname = "a.b', /^p\.toml:2: This is no TOML/],
  ['a name twice', 'smtp_port = 1\nsmtp_port = 2', /^p\.toml:2: This is no TOML/],
  ['a prototype', '__proto__ = 1', /This is no TOML: .*unsafe/],
  ['a constructor', '[transport_maps]\nconstructor = "a.b"', /^p\.toml:\d: .*unsafe/],
  [
    'several',
    'x1 = 1\nsmtpd_timeout = "1"\nmyhostname = "a"',
    /^p\.toml:1: x1/,
    /^p\.toml:2: smtpd_timeout/,
    /^p\.toml:3: myhostname/,
  ],
];

describe('a broken configuration', () => {
  for (const [what, toml, ...errors] of BROKEN) {
    test(what, () => {
      const told = problems(toml);
      assert.equal(told.length, errors.length, told.join('\n'));
      for (const [index, error] of errors.entries()) assert.match(told[index] ?? '', error);
      for (const line of told) assert.doesNotMatch(line, /\n/);
    });
  }

  test('a default that does not fit this machine is told as such', () => {
    const result = readConfiguration('', { ...FACTS, hostname: 'debian' });
    assert.equal(result.kind, 'bad');
    const [first] = result.kind === 'bad' ? result.problems : [];
    assert.equal(first?.name, 'myhostname');
    assert.match(first?.cause ?? '', /^is not set, and its default must be a full name/);
  });

  test('a file of any text never throws', () => {
    check(
      property(string({ unit: 'binary', maxLength: 300 }), (text) => {
        readConfiguration(text, FACTS);
      }),
      { numRuns: 100 },
    );
  });

  test('at most a hundred errors are told', () => {
    const toml = Array.from({ length: 500 }, (_, index) => `wrong${index} = 1`).join('\n');
    assert.equal(problems(toml).length, 100);
  });
});
