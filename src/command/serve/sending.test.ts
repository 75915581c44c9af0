/** What the settings say to queue and transfer. */

import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { World } from '#base/world.ts';
import { readConfiguration } from '../configuration/read.ts';
import type { Settings } from '../configuration/settings.ts';
import { CommandError, EXIT } from '../exit.ts';
import { inFolder } from '../testing.ts';
import { queueOptions, transferOptions } from './sending.ts';

const WORLD = {} as World;

function settings(toml: string): Settings {
  const facts = { hostname: 'mail.example.org', stateDirectory: '/x', gateways: [] };
  const result = readConfiguration(toml, facts);
  return result.kind === 'good' ? result.settings : assert.fail(JSON.stringify(result.problems));
}

test('times, connections and families', () => {
  const chosen = settings(`
    minimal_backoff_time = "60s"
    maximal_backoff_time = "1h"
    delay_warning_time = "0s"
    smtp_connection_limit = 7
    smtp_destination_concurrency_limit = 3
    inet_protocols = "ipv6"
    smtp_port = 2525
    smtp_tls_security_level = "none"
  `);
  const queue = queueOptions(chosen);
  assert.equal(queue.minimalBackoffMs, 60_000);
  assert.equal(queue.maximalBackoffMs, 3_600_000);
  assert.equal(queue.delayWarningMs, 0);
  assert.equal(queue.slots, 7);
  assert.equal(queue.slotsPerDomain, 3);
  const way = transferOptions(chosen, WORLD, ['192.0.2.1']);
  assert.deepEqual(way.families, ['ipv6']);
  assert.equal(way.port, 2525);
  assert.equal(way.security?.level, 'none');
  const must = settings('smtp_tls_security_level = "encrypt"');
  assert.equal(transferOptions(must, WORLD, []).security?.level, 'encrypt');
  assert.equal(way.permitLoopback, false);
  assert.equal(way.relayhost, undefined);
});

describe('next hops', () => {
  test('relayhost, transport_maps, and TLS by level and port', () => {
    const way = transferOptions(
      settings(`
        relayhost = "[smart.example.org]:587"
        smtp_tls_security_level = "encrypt"
        [transport_maps]
        "example.net" = "mx.example.net"
        ".example.net" = "[192.0.2.7]:465"
      `),
      WORLD,
      [],
    );
    const host = 'smart.example.org';
    assert.deepEqual(way.relayhost, { host, mx: false, port: 587, tls: 'require' });
    assert.deepEqual(way.routes?.get('example.net'), {
      host: 'mx.example.net',
      mx: true,
      port: 25,
      tls: 'require',
    });
    assert.deepEqual(way.routes?.get('.example.net'), {
      host: '192.0.2.7',
      mx: false,
      port: 465,
      tls: 'implicit',
    });
    const direct = settings('relayhost = "a.b"\n[transport_maps]\n"example.org" = ""');
    assert.equal(transferOptions(direct, WORLD, []).routes?.get('example.org'), 'direct');
  });

  test('a login comes from a file and never goes out without TLS', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'password');
      const chosen = settings(`
        relayhost = "[smart.example.org]"
        relayhost_login = "me"
        relayhost_password_file = "${file}"
      `);
      writeFileSync(file, 'canary\n', { mode: 0o600 });
      const { relayhost } = transferOptions(chosen, WORLD, []);
      assert.equal(relayhost?.tls, 'require');
      assert.equal(relayhost.credentials?.login, 'me');
      assert.equal(relayhost.credentials.password.reveal(), 'canary');
      assert.doesNotMatch(JSON.stringify(relayhost), /canary/);
      chmodSync(file, 0o640);
      assert.throws(() => transferOptions(chosen, WORLD, []), /others may read this password/);
      chmodSync(file, 0o600);
      for (const content of ['', '\n', 'two\nlines\n']) {
        writeFileSync(file, content);
        assert.throws(
          () => transferOptions(chosen, WORLD, []),
          (error) => error instanceof CommandError && error.exit === EXIT.configuration,
        );
      }
    });
  });

  test('a password file that is missing', () => {
    const chosen = settings(`
      relayhost = "[smart.example.org]"
      relayhost_login = "me"
      relayhost_password_file = "/nowhere/password"
    `);
    assert.throws(() => transferOptions(chosen, WORLD, []), /relayhost_password_file: .*no such/);
  });
});
