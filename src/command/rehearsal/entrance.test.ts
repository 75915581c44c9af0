/** What follows from a rehearsal: refused, warned of, accepted; and who seems to come. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { readConfiguration } from '../configuration/read.ts';
import type { Settings } from '../configuration/settings.ts';
import { CommandError } from '../exit.ts';
import { digestOf, wasAccepted } from './accepted.ts';
import type { Weak } from './attack.ts';
import { enter } from './entrance.ts';
import type { Outcome } from './rehearse.ts';
import { strangerFor } from './strangers.ts';

const WEAK: Weak = {
  id: 'tls.certificate-key-small',
  severity: 'high',
  listener: 'submission',
  title: 'The key is small',
  seen: 'RSA of 1024 bits',
  cure: 'Make a larger one.',
};

function outcome(weak: readonly Weak[], undecided: readonly string[] = []): Outcome {
  const counts = { tests: 10, unclear: undecided.length };
  return { kind: 'rehearsed', rehearsed: { weak, stranger: '192.0.2.66', ...counts, undecided } };
}

suite('before a configuration is taken', () => {
  let folder: string;
  let told: string[];
  let asked: number;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'postern-entrance-'));
    told = [];
    asked = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function settings(toml = ''): Settings {
    const facts = { hostname: 'mx.a.test', stateDirectory: folder, gateways: [] };
    const result = readConfiguration(toml, facts);
    if (result.kind === 'bad') throw new Error(JSON.stringify(result.problems));
    return { ...result.settings, data_directory: folder };
  }

  const log = { event: (_level: string, name: string) => void told.push(name) };
  const entering = (own: Settings, what: Outcome): Promise<void> =>
    enter(own, log, async () => {
      asked += 1;
      return what;
    });

  test('a grave finding refuses it, and it is not remembered', async () => {
    const own = settings();
    await assert.rejects(entering(own, outcome([WEAK])), (thrown) => {
      assert.ok(thrown instanceof CommandError);
      assert.equal(thrown.exit, 78);
      assert.match(thrown.message, /high: The key is small \(tls.certificate-key-small, on subm/);
      assert.match(thrown.message, /RSA of 1024 bits\. Cure: Make a larger one\./);
      return true;
    });
    assert.equal(wasAccepted(own), false);
  });

  test('with warn it is told and accepted; refuse asks again', async () => {
    const own = settings('self_audit = "warn"');
    await entering(own, outcome([WEAK]));
    assert.deepEqual(told, ['self-audit-found']);
    await entering(own, outcome([WEAK]));
    assert.equal(asked, 1);
    await assert.rejects(entering(settings(), outcome([WEAK])), { exit: 78 });
  });

  test('what was accepted is not attacked again until it changes', async () => {
    await entering(settings(), outcome([]));
    await entering(settings('log_level = "debug"'), outcome([WEAK]));
    assert.equal(asked, 1);
    await assert.rejects(entering(settings('mynetworks = []'), outcome([WEAK])), {
      exit: 78,
    });
    assert.equal(asked, 2);
  });

  test('what could not be told is logged, taken and not remembered', async () => {
    await entering(settings(), { kind: 'untold', why: 'it took longer than 60 s' });
    // One of ten is enough: it may be the one that matters.
    await entering(settings(), outcome([], ['relay.n2']));
    assert.deepEqual(told, ['self-audit-not-told', 'self-audit-unclear']);
    assert.equal(wasAccepted(settings()), false);
  });

  test('the digest knows values, not their words: names and maps count, the order does not', () => {
    assert.equal(
      digestOf(settings('smtpd_timeout = "300s"')),
      digestOf(settings('smtpd_timeout = "5m"')),
    );
    const map = (name: string): Settings =>
      settings(`[tls_server_sni_maps]\n"${name}" = ["a.pem", "b.pem"]`);
    assert.notEqual(digestOf(map('a.test')), digestOf(map('b.test')));
  });

  test('the stranger is one whom a prefix too short trusts', () => {
    const from = (list: string): string => strangerFor(settings(`mynetworks = ${list}`));
    assert.equal(from('["192.168.0.0/16", "10.0.0.0/8"]'), '192.0.2.66');
    assert.equal(from('["192.160.0.0/11"]'), '192.167.255.66');
    assert.equal(from('["172.0.0.0/8"]'), '172.15.255.66');
    const proxies = settings('smtpd_upstream_proxy_hosts = ["11.0.0.0/8"]');
    assert.equal(strangerFor(proxies), '11.0.0.66');
  });
});
