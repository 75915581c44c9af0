/** `postern setup`: from an empty directory to a configuration, keys, people and records; twice. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { without } from '#test/interop/tools.ts';
import { readConfiguration } from '../configuration/read.ts';
import { EXIT } from '../exit.ts';
import { inFolder, run } from '../testing.ts';
import type { DnsRecord } from './records.ts';

interface Told {
  readonly steps: readonly { readonly done: boolean; readonly what: string }[];
  readonly password: string | null;
  readonly records: readonly DnsRecord[];
}

const ADDRESSES = ['--address', '203.0.113.5,2001:db8::5'];

async function setUp(folder: string, ...more: string[]): Promise<Told> {
  const place = ['--config', join(folder, 'postern.toml'), '--data', join(folder, 'data')];
  const words = ['setup', 'example.test', ...ADDRESSES, ...place, ...more, '--json'];
  const { status, out, err } = await run(words);
  assert.equal(status, EXIT.ok, err);
  return JSON.parse(out) as Told;
}

describe('postern setup', () => {
  test('everything is made once; a second run changes nothing', async () => {
    await inFolder(async (folder) => {
      const first = await setUp(folder);
      assert.ok(first.steps.every(({ done }) => done));
      assert.match(first.password ?? '', /^\w{20}$/);
      const file = readFileSync(join(folder, 'postern.toml'), 'utf8');
      const second = await setUp(folder);
      assert.ok(
        second.steps.every(({ done }) => !done),
        JSON.stringify(second.steps),
      );
      assert.equal(second.password, null);
      assert.equal(readFileSync(join(folder, 'postern.toml'), 'utf8'), file);
      assert.deepEqual(second.records, first.records);
    });
  });

  test('the configuration is short, explained, and one that is taken', async () => {
    await inFolder(async (folder) => {
      await setUp(folder);
      const text = readFileSync(join(folder, 'postern.toml'), 'utf8');
      assert.ok(text.split('\n').length <= 40);
      const facts = { hostname: 'x', stateDirectory: folder, gateways: [] };
      assert.equal(readConfiguration(text, facts).kind, 'good');
      // What stands there as a comment must be right too, once somebody takes the # away.
      const uncommented = text.replace(/^# (?=[a-z_]+ = )/gm, '');
      const result = readConfiguration(uncommented, facts);
      assert.deepEqual(result.kind === 'bad' ? result.problems : [], []);
    });
  });

  test('a file that somebody wrote is not written over', async () => {
    await inFolder(async (folder) => {
      const own = `myhostname = "mx.own.test"\ndata_directory = "${folder}/elsewhere"\n`;
      writeFileSync(join(folder, 'postern.toml'), own);
      const { steps } = await setUp(folder);
      assert.equal(readFileSync(join(folder, 'postern.toml'), 'utf8'), own);
      assert.equal(steps[0]?.done, false);
      // Named on the command line, the data directory is that one and no other.
      assert.ok(existsSync(join(folder, 'data')) && !existsSync(join(folder, 'elsewhere')));
    });
  });

  test('a second run and a second domain go by the configuration, and make nobody new', async () => {
    await inFolder(async (folder) => {
      const first = await setUp(folder, '--hostname', 'mx.example.test', '--account', 'anna');
      const second = await setUp(folder);
      assert.ok(second.steps.every(({ done }) => !done));
      assert.deepEqual(second.records, first.records);
      const place = ['--config', join(folder, 'postern.toml'), '--data', join(folder, 'data')];
      const other = await run(['setup', 'second.test', ...ADDRESSES, ...place, '--json']);
      const { records } = JSON.parse(other.out) as Told;
      assert.equal(records.find(({ type }) => type === 'MX')?.value, '10 mx.example.test.');
      const wrong = await run(['setup', 'second.test', '--hostname', 'mx.second.test', ...place]);
      assert.equal(wrong.status, EXIT.data);
      assert.match(wrong.err, /is called mx\.example\.test.*change myhostname in/);
    });
  });

  test('what fails, fails before there is a password to lose', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'none', 'here');
      const place = ['--config', join(folder, 'postern.toml'), '--data', join(folder, 'data')];
      const failed = await run(['setup', 'example.test', '--systemd', file, ...place]);
      assert.equal(failed.status, EXIT.unavailable);
      assert.match(failed.err, /none\/here\/postern\.service: no such file or directory/);
      assert.match((await setUp(folder)).password ?? '', /^\w{20}$/);
    });
  });

  test('an account that cannot be is refused before anything is done', async () => {
    await inFolder(async (folder) => {
      await setUp(folder);
      const place = ['--config', join(folder, 'postern.toml'), '--data', join(folder, 'data')];
      const stranger = await run(['setup', 'x.test', '--account', 'bob@far.test', ...place]);
      assert.equal(stranger.status, EXIT.noUser);
      assert.match(stranger.err, /far\.test is not a domain of this server/);
      const taken = await run(['setup', 'example.test', '--account', 'abuse', ...place]);
      assert.equal(taken.status, EXIT.cannotCreate, taken.err);
      assert.match(taken.err, /abuse@example\.test is taken by an alias/);
      assert.doesNotMatch((await run(['domain', 'list', ...place])).out, /x\.test/);
    });
  });

  test('the people are there: domain, account, and the names every domain must have', async () => {
    await inFolder(async (folder) => {
      await setUp(folder, '--account', 'anna');
      const at = ['--config', join(folder, 'postern.toml')];
      const accounts = JSON.parse((await run(['account', 'list', '--json', ...at])).out);
      assert.deepEqual(
        accounts.map((one: { address: string }) => one.address),
        ['anna@example.test'],
      );
      const { out } = await run(['alias', 'list', ...at]);
      assert.match(out, /abuse@example\.test +-> +anna@example\.test/);
      assert.match(out, /postmaster@example\.test +-> +anna@example\.test/);
    });
  });

  test('the records: one of each kind that the domain needs', async () => {
    await inFolder(async (folder) => {
      const { records } = await setUp(folder);
      const of = (type: string, name: string): string | undefined =>
        records.find((one) => one.type === type && one.name === name)?.value;
      assert.equal(of('MX', 'example.test'), '10 mail.example.test.');
      assert.equal(of('A', 'mail.example.test'), '203.0.113.5');
      assert.equal(of('AAAA', 'mail.example.test'), '2001:db8::5');
      assert.equal(of('TXT', 'example.test'), 'v=spf1 mx -all');
      assert.match(of('TXT', '_dmarc.example.test') ?? '', /^v=DMARC1; p=quarantine; rua=/);
      assert.match(of('TXT', '_smtp._tls.example.test') ?? '', /^v=TLSRPTv1; rua=/);
      assert.equal(of('SRV', '_imaps._tcp.example.test'), '0 1 993 mail.example.test.');
      assert.equal(of('SRV', '_imap._tcp.example.test'), '0 0 0 .');
      const key = records.find(({ name }) => name.endsWith('._domainkey.example.test'));
      assert.match(key?.value ?? '', /^v=DKIM1; k=rsa; p=[A-Za-z0-9+/=]{390,}$/);
      // Nothing is published that does not work: no policy is served, no certificate is kept.
      assert.equal(of('TXT', '_mta-sts.example.test'), undefined);
      assert.ok(!records.some(({ type }) => type === 'TLSA'));
    });
  });

  test('a zone file that name servers load', { skip: without('named-checkzone') }, async () => {
    await inFolder(async (folder) => {
      const place = ['--config', join(folder, 'postern.toml'), '--data', join(folder, 'data')];
      const { out } = await run(['setup', 'example.test', ...ADDRESSES, ...place, '--zone']);
      const zone = join(folder, 'zone');
      const head = '$TTL 300\n@ IN SOA ns.example.test. root.example.test. 1 1 1 1 1\n@ IN NS ns\n';
      writeFileSync(zone, `${head}ns IN A 203.0.113.9\n${out}`);
      const { status, stdout } = spawnSync('named-checkzone', ['example.test', zone]);
      assert.equal(status, 0, String(stdout));
    });
  });

  test('units that systemd takes', { skip: without('systemd-analyze') }, async () => {
    await inFolder(async (folder) => {
      const { steps } = await setUp(folder, '--systemd', folder, '--container', folder);
      assert.equal(steps.filter(({ what }) => what.startsWith(folder)).length, 3);
      for (const name of ['postern.service', 'postern.socket']) {
        const { stderr } = spawnSync('systemd-analyze', ['verify', join(folder, name)]);
        const wrong = String(stderr)
          .split('\n')
          .filter((line) => /postern\.(?:service|socket):\d/.test(line));
        assert.deepEqual(wrong, []);
      }
    });
  });

  for (const [words, cause] of [
    [['setup', 'not a domain'], /no domain name/],
    [['setup', 'example.test', '--address', 'here'], /no IP address/],
    [['doctor', '--address', '::1,here'], /no IP address/],
    [['doctor', '--reach', 'host.test:99999'], /is no server/],
    [['doctor', '--reach', 'a:b'], /is no server/],
  ] as const) {
    test(`${words.join(' ')} is refused in words`, async () => {
      await inFolder(async (folder) => {
        const { status, err } = await run([...words, '--config', join(folder, 'c.toml')]);
        assert.notEqual(status, EXIT.ok);
        assert.match(err, cause);
      });
    });
  }
});
