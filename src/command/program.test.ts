/** The command line: help, versions, mistakes, and their exit statuses. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Failure } from '#base/failure.ts';
import { EXIT } from './exit.ts';
import type { Io } from './io.ts';
import { report } from './report.ts';
import { ownCertificates } from './serve/certificates.ts';
import { inFolder, run } from './testing.ts';

const MISTAKES: readonly (readonly [words: string, status: number, err: RegExp])[] = [
  ['servce', EXIT.usage, /^postern: unknown command 'servce' \(Did you mean serve\?\)\n$/],
  ['version --jsn', EXIT.usage, /^postern: unknown option '--jsn' \(Did you mean --json\?\)\n$/],
  ['version x', EXIT.usage, /too many arguments.*but got 1\. See `postern version --help`\.$/m],
  ['account', EXIT.usage, /account needs one of: list, add, password.*help account/],
  ['account ad', EXIT.usage, /account has no command "ad", only: list, .*Did you mean add\?/],
  ['account add', EXIT.usage, /argument 'address'\. See `postern account add --help`\.\n$/],
  ['nonsense', EXIT.usage, /^postern: unknown command 'nonsense'\. See `postern --help`\.\n$/],
  ['account add alice --generate', EXIT.data, /"alice" is no mail address: it has no @\. Write/],
  ['account add a@b@ --generate', EXIT.data, /"a@b@" is no mail address/],
  ['domain add a..b', EXIT.data, /"a..b" is no domain name/],
  ['queue list --limit x --data /nowhere', EXIT.usage, /--limit x: must be a number/],
  ['queue list --data /nowhere/at/all', EXIT.unavailable, /there is no data directory/],
  ['trace x --data /nowhere/at/all', EXIT.unavailable, /\/nowhere\/at\/all: there is no data/],
  ['config check /nowhere.toml', EXIT.configuration, /\/nowhere.toml: no such file/],
  ['config check', EXIT.configuration, /there is no configuration file/],
  ['config explain mynetwork', EXIT.data, /mynetwork is no setting\. Did you mean mynetworks\?/],
  ['reports --kind x /nowhere.xml', EXIT.usage, /--kind takes dmarc, tls, not "x"/],
  [
    'headers --evidence /dev/null /dev/null',
    EXIT.data,
    /\/dev\/null: .*Name a file that --save-ev/,
  ],
  ['doctor --dnsbl a..b', EXIT.data, /"a\.\.b" is no domain name/],
  ['setup localhost', EXIT.data, /"localhost" is no full name\. Write it like/],
  ['setup [192.0.2.1]', EXIT.data, /"\[192\.0\.2\.1\]" is no domain name/],
  ['reports /nowhere.xml', EXIT.data, /^postern: \/nowhere.xml: no such file or directory\. Check/],
  ['headers /nowhere.eml', EXIT.unavailable, /^postern: \/nowhere.eml: no such file/],
  ['audit 127.0.0.1:9 --html /nowhere/x.html', EXIT.unavailable, /^postern: \/nowhere: no such/],
  ['send a:b:c --from <> --to a@b.test', EXIT.usage, /"a:b:c" is no server\. Write it like/],
  ['config print --config /nowhere.toml', EXIT.configuration, /no such file/],
];

describe('mistakes are one line with a cure, and a status of sysexits', () => {
  for (const [words, status, err] of MISTAKES) {
    test(words, async () => {
      const outcome = await run(words.split(' '));
      assert.equal(outcome.status, status, outcome.err);
      assert.match(outcome.err, err);
      assert.equal(outcome.err.trimEnd().split('\n').length, 1, outcome.err);
      assert.doesNotMatch(outcome.err, /\bat .*\.ts:/);
    });
  }

  test('text from outside cannot steer the terminal', async () => {
    const { err } = await run(['account', 'add', 'a\x1b[2J\u202e@b.c', '--generate']);
    assert.match(err, /a\\x1b\[2J\\u202e@b\.c/);
  });
});

describe('help', () => {
  test('of the program lists every command', async () => {
    const { status, out } = await run(['--help']);
    assert.equal(status, EXIT.ok);
    for (const name of ['serve', 'account', 'domain', 'alias', 'queue', 'trace', 'config']) {
      assert.match(out, new RegExp(`^  ${name} `, 'm'));
    }
  });

  for (const words of ['serve', 'account add', 'queue list', 'trace', 'config explain']) {
    test(`of ${words}`, async () => {
      const { status, out } = await run([...words.split(' '), '--help']);
      assert.equal(status, EXIT.ok);
      assert.match(out, /^Usage: postern /);
      assert.match(out, /--json/);
    });
  }
});

test('version, as words and as JSON', async () => {
  const { out } = await run(['version']);
  assert.match(out, /^postern \d+\.\d+\.\d+ \(node 26\.\d+\.\d+, sqlite 3\.\d+\.\d+\)\n$/);
  const value: unknown = JSON.parse((await run(['version', '--json'])).out);
  assert.deepEqual(Object.keys(value as object), ['postern', 'node', 'sqlite']);
});

describe('postern config', () => {
  test('check tells every error with file, line, name, cause and cure; status 78', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'p.toml');
      writeFileSync(file, 'myhostname = "mail.example.org"\nmyorgin = "a.b"\nsmtp_port = 0\n');
      const { status, out } = await run(['config', 'check', file]);
      assert.equal(status, EXIT.configuration);
      const lines = out.trimEnd().split('\n');
      assert.equal(lines.length, 2);
      assert.match(lines[0] ?? '', /p\.toml:2: myorgin is no setting\. Did you mean myorigin\?/);
      assert.match(lines[1] ?? '', /p\.toml:3: smtp_port must be a whole number from 1 to 65535/);
      const json = await run(['config', 'check', file, '--json']);
      assert.equal(json.status, EXIT.configuration);
      const value = JSON.parse(json.out) as { good: boolean; problems: { line: number }[] };
      assert.equal(value.good, false);
      assert.deepEqual(
        value.problems.map(({ line }) => line),
        [2, 3],
      );
    });
  });

  test('check finds certificates that are missing', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'p.toml');
      const names = 'smtpd_tls_cert_file = "no.pem"\nsmtpd_tls_key_file = "no.key"\n';
      writeFileSync(file, `myhostname = "mail.example.org"\n${names}`);
      const { status, out } = await run(['config', 'check', file]);
      assert.equal(status, EXIT.configuration);
      assert.match(out, /smtpd_tls_cert_file.*no\.pem: there is no such file/);
    });
  });

  test('check finds a certificate that is for other names, or past its end', async () => {
    await inFolder(async (folder) => {
      const now = Date.now();
      const own = await ownCertificates(join(folder, 'good'), ['a.example.org'], now);
      const past = await ownCertificates(join(folder, 'past'), ['a.example.org'], now - 4e10);
      const file = join(folder, 'p.toml');
      const pair = ({ files }: typeof own): string =>
        JSON.stringify([files.certificateFile, files.keyFile]);
      const check = async (map: string): Promise<string> => {
        const maps = `tls_server_sni_maps = { ${map} }`;
        writeFileSync(file, `myhostname = "mail.example.org"\n${maps}\n`);
        return (await run(['config', 'check', file])).out;
      };
      assert.match(await check(`"a.example.org" = ${pair(own)}`), /^good /);
      const other = await check(`"b.example.org" = ${pair(own)}`);
      assert.match(other, /tls_server_sni_maps\.b\.example\.org .*for other names/);
      assert.match(await check(`"a.example.org" = ${pair(past)}`), /expired|ended/);
    });
  });

  test('check of a good file, print reads back the same, explain says what the docs say', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'p.toml');
      writeFileSync(file, 'myhostname = "mail.example.org"\nmessage_size_limit = "20M"\n');
      assert.equal((await run(['config', 'check', file])).status, EXIT.ok);
      const printed = (await run(['config', 'print', '--config', file])).out;
      assert.match(printed, /^message_size_limit = "20M"$/m);
      assert.match(printed, /^smtpd_timeout = "305s" {2}# default$/m);
      const again = join(folder, 'again.toml');
      writeFileSync(again, printed);
      assert.equal((await run(['config', 'check', again])).status, EXIT.ok);
      const changed = (await run(['config', 'print', '--changed', '--config', file])).out;
      assert.doesNotMatch(changed, /smtpd_timeout/);
      const { out } = await run(['config', 'explain', 'message_size_limit']);
      const docs = (await run(['config', 'docs'])).out;
      const [, doc = ''] = out.split('\n');
      assert.ok(doc.length > 20 && docs.includes(doc.trim()), doc);
    });
  });

  test('a broken file stops every command with all its errors', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'p.toml');
      writeFileSync(file, 'x = 1\ny = 2\n');
      const { status, err } = await run(['serve', '--config', file]);
      assert.equal(status, EXIT.configuration);
      assert.match(err, /p\.toml:1: x is no setting.*\n.*p\.toml:2: y is no setting/);
      const byName = await run(['domain', 'list'], { env: { POSTERN_CONFIG: file } });
      assert.equal(byName.status, EXIT.configuration);
    });
  });
});

test('failures of other floors get a status; bugs say that they are bugs', () => {
  let err = '';
  const io = { warn: (text: string) => void (err += text), colour: false, env: {} };
  const reported = (thrown: unknown): number => {
    err = '';
    return report(thrown, io as unknown as Io);
  };
  assert.equal(reported(Failure.permanent('port-in-use', 'port 25 is in use')), EXIT.unavailable);
  assert.match(err, /^postern: port 25 is in use\. Stop the program/);
  assert.equal(reported(Failure.permanent('store-broken', 'it is damaged')), EXIT.data);
  assert.equal(reported(Failure.temporary('store-busy', 'locked')), EXIT.temporary);
  assert.equal(reported(Failure.permanent('certificate-expired', 'x.pem')), EXIT.configuration);
  const denied = Object.assign(new Error('EACCES: x'), { code: 'EACCES', path: '/x' });
  assert.equal(reported(denied), EXIT.noPermission);
  assert.match(err, /^postern: \/x: permission denied\. Check owner and mode\.\n$/);
  assert.equal(reported(new TypeError('x is not a function')), EXIT.software);
  assert.match(err, /^postern: internal error: x is not a function\. POSTERN_DEBUG=1 shows where/);
});
