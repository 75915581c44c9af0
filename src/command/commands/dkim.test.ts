/** `postern dkim`: keys from the first to the forgotten, on disk, with a DNS server that says no. */

import assert from 'node:assert/strict';
import { createPublicKey, sign, verify } from 'node:crypto';
import { chmodSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Domain } from '#base/brand.ts';
import type { JsonObject } from '#base/json.ts';
import { startDnsServer } from '#test/world/dns-server.ts';
import { signingKeys } from '../dkim/signing-keys.ts';
import { EXIT } from '../exit.ts';
import { FakeClock } from '../serve/testing.ts';
import { type Outcome, inFolder, run } from '../testing.ts';

type Postern = (line: string) => Promise<Outcome>;

async function withKeys(task: (postern: Postern, data: string, zone: Zone) => Promise<void>) {
  await inFolder(async (folder) => {
    const dns = await startDnsServer();
    const data = join(folder, 'data');
    const config = join(folder, 'postern.toml');
    const lines = [
      'myhostname = "mx.a.test"',
      `data_directory = "${data}"`,
      `resolver_addresses = ["${dns.server}"]`,
      'smtp_listen = []',
    ];
    writeFileSync(config, `${lines.join('\n')}\n`);
    const postern: Postern = (line) => run([...line.split(' '), '--config', config]);
    try {
      const { openEngine } = await import('../serve/store.ts');
      const { loadConfiguration } = await import('../configuration/load.ts');
      const store = await openEngine(loadConfiguration(config, {}).settings);
      await store.close();
      ok(await postern('domain add a.test'));
      await task(postern, data, dns.zone);
    } finally {
      await dns.close();
    }
  });
}

type Zone = Awaited<ReturnType<typeof startDnsServer>>['zone'];

function ok({ status, out, err }: Outcome): string {
  assert.equal(status, EXIT.ok, err);
  return out;
}

function refused({ status, err }: Outcome, exit: number, words: RegExp): void {
  assert.equal(status, exit, err);
  assert.match(err, words);
}

describe('postern dkim', () => {
  test('create prints what to publish, and the file is for the owner alone', async () => {
    await withKeys(async (postern, data) => {
      assert.match(ok(await postern('dkim list')), /no key: mail is not signed/);
      const [record] = JSON.parse(ok(await postern('dkim create a.test --selector one --json')));
      assert.equal(record.name, 'one._domainkey.a.test');
      assert.match(record.value, /^v=DKIM1; k=rsa; p=[A-Za-z0-9+/]{300,}=*$/);
      assert.equal(record.strings.join(''), record.value);
      assert.ok(record.strings.every((text: string) => text.length <= 255));
      assert.match(record.zone, /^one\._domainkey\.a\.test\. IN TXT \( "v=DKIM1[^"]*" "/);
      assert.equal(ok(await postern('dkim record a.test --zone')), `${record.zone}\n`);
      const file = join(data, 'dkim', 'one._domainkey.a.test.json');
      assert.equal(statSync(file).mode & 0o777, 0o600);
      assert.match(readFileSync(file, 'utf8'), /BEGIN PRIVATE KEY/);
      for (const line of ['dkim list', 'dkim record a.test', 'dkim list --json']) {
        assert.doesNotMatch(ok(await postern(line)), /PRIVATE/);
      }
      const ed = ok(await postern('dkim create a.test --algorithm ed25519'));
      assert.match(ed, /p\d{6}e\._domainkey\.a\.test +TXT +v=DKIM1; k=ed25519; p=[\w+/]{43}=\n/);
      assert.match(ok(await postern('dkim list a.test')), /one +rsa-sha256 +signs/);
      ok(await postern('dkim create mx.a.test'));
    });
  });

  test('rotation: published first, then the new key signs and the old one is gone', async () => {
    await withKeys(async (postern, data, zone) => {
      ok(await postern('dkim create a.test --selector old'));
      const [next] = JSON.parse(ok(await postern('dkim rotate a.test --json')));
      assert.match(ok(await postern('dkim list')), /old +rsa-sha256 +signs\n.*waits for/s);
      refused(await postern('dkim rotate a.test'), EXIT.unavailable, /is not in the DNS yet/);
      zone.set(next.name, { txt: ['v=DKIM1; k=rsa; p=AAAA'], ttl: 0 });
      refused(await postern('dkim rotate a.test'), EXIT.unavailable, /with another key/);
      zone.set(next.name, { txt: ['x'], fault: 'servfail' });
      refused(await postern('dkim rotate a.test'), EXIT.unavailable, /does not answer/);
      zone.set(next.name, { txt: [next.strings] });
      const done = JSON.parse(ok(await postern('dkim rotate a.test --json')));
      const selector = next.name.split('.')[0];
      assert.deepEqual(done, { signing: [selector], retired: ['old'] });
      const old = readFileSync(join(data, 'dkim', 'old._domainkey.a.test.json'), 'utf8');
      assert.doesNotMatch(old, /PRIVATE/);
      assert.match(ok(await postern('dkim list')), /old.*retired; keep its record until 20/);
      assert.equal(ok(await postern('dkim retire a.test old')), 'old is forgotten\n');
      const last = await postern(`dkim retire a.test ${selector}`);
      assert.match(last.err, /is not signed any more/);
      ok(await postern(`dkim retire a.test ${selector}`));
      assert.deepEqual(readdirSync(join(data, 'dkim')), []);
    });
  });

  test('what is wrong is told with its cure', async () => {
    await withKeys(async (postern) => {
      refused(await postern('dkim create b.test'), EXIT.noUser, /not a domain of this server/);
      refused(await postern('dkim create a.test --algorithm dsa'), EXIT.usage, /rsa or ed25519/);
      refused(await postern('dkim create a.test --bits 1024'), EXIT.usage, /2048, 3072 or 4096/);
      for (const selector of ['a.b', '../../x', 'x y'.replace(' ', '/'), '-']) {
        const made = await postern(`dkim create a.test --selector ${selector}`);
        refused(made, EXIT.data, /is no selector/);
      }
      refused(await postern('dkim rotate a.test'), EXIT.data, /no key to rotate/);
      refused(await postern('dkim record a.test'), EXIT.data, /has no key/);
      refused(await postern('dkim retire a.test x'), EXIT.data, /has no key "x"/);
      ok(await postern('dkim create a.test --selector one'));
      refused(await postern('dkim create a.test'), EXIT.cannotCreate, /has the key one already/);
    });
  });

  test('the server sees new keys, retired keys, and keys that others may read', async () => {
    await withKeys(async (postern, data) => {
      const clock = new FakeClock();
      const told: JsonObject[] = [];
      const log = {
        event: (_: unknown, name: string, more?: JsonObject) => told.push({ name, ...more }),
      };
      const keys = signingKeys(data, clock, log);
      const a = 'a.test' as Domain;
      assert.deepEqual([keys.hasAny(), keys.of(a)], [false, []]);
      ok(await postern('dkim create a.test --algorithm ed25519 --selector e'));
      assert.deepEqual(keys.of(a), [], 'it looks once a second');
      clock.pass(1_000);
      const [ed] = keys.of(a);
      assert.equal(ed?.selector, 'e');
      const signature = sign(null, Buffer.from('x'), ed!.key);
      assert.ok(verify(null, Buffer.from('x'), createPublicKey(ed!.key), signature));
      ok(await postern('dkim create a.test --selector r'));
      clock.pass(1_000);
      assert.deepEqual(
        keys.of(a).map(({ selector }) => selector),
        ['r', 'e'],
      );
      ok(await postern('dkim retire a.test e'));
      chmodSync(join(data, 'dkim', 'r._domainkey.a.test.json'), 0o644);
      clock.pass(1_000);
      assert.deepEqual(keys.of(a), []);
      assert.match(JSON.stringify(told), /signing-key-unusable.*others may read this key/);
      refused(await postern('dkim list'), EXIT.noPermission, /chmod 600/);
    });
  });
});
