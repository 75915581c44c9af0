/** Faults of the machine and of the operator: told with cause and cure, and nothing is lost. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { type Finished, run } from '../interop/tools.ts';
import { testCertificate } from '../world/certificates.ts';
import { waitFor } from '../world/postern.ts';
import { POSTERN, WholeServer, configuration } from '../world/whole-server.ts';

let folder: string;

before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'postern-faults-'));
});

after(() => rmSync(folder, { recursive: true, force: true }));

/** Starts a server that must not get ready; what it said. */
async function refused(settings: string, data = path.join(folder, 'data')): Promise<Finished> {
  const file = path.join(folder, 'postern.toml');
  writeFileSync(file, settings);
  const ended = await run(POSTERN, ['serve', '--config', file, '--data', data], {
    // A port in use is found after the configuration was attacked.
    timeoutMs: 20_000,
  });
  assert.notEqual(ended.code, null, `it runs: ${ended.output}`);
  // A person reads it: no stack, no object.
  assert.doesNotMatch(ended.output, /\n\s+at |\[object|undefined|node:internal/, ended.output);
  return ended;
}

describe('a server that cannot start says why, and how to go on', () => {
  test('a port in use', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => {
      other.listen(0, '127.0.0.1', resolve);
    });
    const address = other.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const settings = configuration().replace(
      /^imap_listen = .*$/m,
      `imap_listen = ["127.0.0.1:${port}"]`,
    );
    const { code, output } = await refused(settings);
    other.close();
    assert.equal(code, 69);
    assert.match(output, new RegExp(`imap: .*127\\.0\\.0\\.1:${port}.*imap_listen`));
  });

  test('certificates that are missing, expired, not yet valid, not PEM, of another key', async () => {
    const day = 86_400_000;
    const names = ['mx.whole.test'];
    const at = (days: number): Date => new Date(Date.now() + days * day);
    const past = { names, notBefore: at(-20), notAfter: at(-2) };
    const future = { names, notBefore: at(2), notAfter: at(20) };
    const cases: readonly (readonly [string, string, string, RegExp])[] = [
      ['expired', ...pair(past), /expired.*Renew/is],
      ['future', ...pair(future), /begins.*clock/is],
      ['garbage', 'no certificate', pair({ names })[1], /PEM/],
      ['nokey', pair({ names })[0], 'no key', /PEM/],
      ['mismatch', pair({ names })[0], pair({ names })[1], /key/],
    ];
    for (const [name, certificate, key, words] of cases) {
      writeFileSync(path.join(folder, `${name}.pem`), certificate);
      writeFileSync(path.join(folder, `${name}.key`), key);
      const { code, output } = await refused(configuration(certified(name)));
      assert.equal(code, 78, `${name}: ${output}`);
      assert.match(output, words, name);
      assert.match(output, new RegExp(`${name}\\.(?:pem|key)`), name);
    }
    const { code, output } = await refused(configuration(certified('missing')));
    assert.equal(code, 78);
    assert.match(output, /missing\.pem/);
  });

  test('a configuration with typos: all of them, each with its line and the nearest name', async () => {
    const settings = `myhostnam = "mx.whole.test"\nsmtpd_timeout = "5 fortnights"\ninet_protocols = "ipv5"\n`;
    const { code, output } = await refused(settings);
    assert.equal(code, 78);
    assert.match(output, /:1[:\s].*myhostnam\b.*myhostname/s);
    assert.match(output, /:2[:\s].*smtpd_timeout/s);
    assert.match(output, /:3[:\s].*inet_protocols/s);
    const world = await refused(
      configuration().replace(/^mynetworks.*$/m, 'mynetworks = ["0.0.0.0/0"]'),
    );
    assert.equal(world.code, 78);
    assert.match(world.output, /mynetworks.*0\.0\.0\.0\/0/);
    const broken = await refused('myhostname = "mx.whole.test\n');
    assert.equal(broken.code, 78);
    assert.match(broken.output, /:1/);
  });

  test('a data directory that is a file, and a configuration that is none', async () => {
    const file = path.join(folder, 'a-file');
    writeFileSync(file, '');
    const { code, output } = await refused(configuration(), file);
    assert.ok(code !== 0 && code !== 70, `${code}: ${output}`);
    assert.match(output, /a-file/);
    const none = await run(POSTERN, ['serve', '--config', path.join(folder, 'none.toml')]);
    assert.ok(none.code !== 0 && none.code !== 70);
    assert.match(none.output, /none\.toml/);
  });
});

describe('a broken database', () => {
  test('is told at the start and left as it is', async () => {
    const server = await WholeServer.start({ users: ['ann'] });
    assert.match(await server.deliver('Subject: kept\r\n\r\nx'), /^250/);
    await server.running.stop();
    const file = databaseIn(server.data);
    const good = readFileSync(file);
    const breakages: readonly (readonly [string, Buffer])[] = [
      ['cut off', good.subarray(0, 5_000)],
      ['other text', Buffer.from('this is no database, and never was '.repeat(1_000))],
      ['a damaged head', Buffer.concat([Buffer.alloc(100, 0xff), good.subarray(100)])],
      [
        'a damaged schema',
        Buffer.concat([good.subarray(0, 100), Buffer.alloc(3_996, 0xee), good.subarray(4_096)]),
      ],
    ];
    for (const [what, octets] of breakages) {
      for (const more of ['-wal', '-shm']) rmSync(file + more, { force: true });
      writeFileSync(file, octets);
      const settings = readFileSync(path.join(server.running.folder, 'postern.toml'), 'utf8');
      const { code, output } = await refused(settings, server.data);
      assert.equal(code, 65, `${what}: ${output}`);
      assert.match(output, new RegExp(path.basename(file).replace('.', '\\.')), what);
      assert.deepEqual(readFileSync(file), octets, `${what}: it was changed`);
      const listed = await server.command('queue', 'list');
      assert.equal(listed.code, 65, `${what}: ${listed.output}`);
    }
    // With the file of the backup everything is there again.
    writeFileSync(file, good);
    server.running = await server.running.restart();
    assert.equal(await server.count(), 1);
    await server.stop();
  });

  test('of a newer Postern is not touched', async () => {
    const server = await WholeServer.start({ users: ['ann'] });
    await server.running.stop();
    const database = new DatabaseSync(databaseIn(server.data));
    database.exec('PRAGMA user_version = 999');
    database.close();
    const settings = readFileSync(path.join(server.running.folder, 'postern.toml'), 'utf8');
    const { code, output } = await refused(settings, server.data);
    assert.equal(code, 65, output);
    assert.match(output, /newer/i);
    server.running.remove();
  });
});

const tmpfs = canMount();

test(
  'a full disk: 452 while it lasts, reading goes on, everything accepted is there',
  { skip: tmpfs },
  async () => {
    const disk = path.join(folder, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=30m', 'tmpfs', disk]);
    let server: WholeServer | undefined;
    try {
      server = await WholeServer.start({
        folder: disk,
        users: ['ann'],
        settings: 'smtpd_timeout = "20s"',
      });
      const ballast = path.join(disk, 'ballast');
      writeFileSync(ballast, Buffer.alloc(6_291_456));
      const accepted = new Set<string>();
      const body = 'filler '.repeat(20_000);
      const fill = async (count: number): Promise<string> => {
        for (let n = 0; n < count; n += 1) {
          const id = `full-${accepted.size}-${n}`;
          const answer = await server!.deliver(`Subject: ${id}\r\n\r\n${body}`);
          if (!answer.startsWith('250')) return answer;
          accepted.add(id);
        }
        return 'never full';
      };
      assert.match(await fill(400), /^4(?:52 4\.3\.1|51 4\.3\.0)/);
      assert.ok(accepted.size > 20, `${accepted.size}`);
      // The very last octets go too: now nothing can be written at all.
      const filler = path.join(disk, 'filler');
      fillUp(filler);
      assert.match(await fill(1), /^45[12] 4\.3\./);
      const reader = await server.imap();
      await reader.tagged('a', 'SELECT INBOX');
      const fetched = await reader.tagged('b', 'FETCH 1:* (BODY.PEEK[HEADER.FIELDS (Subject)])');
      assert.match(fetched.at(-1)!, /^b OK/);
      for (const id of accepted) assert.ok(fetched.includes(`Subject: ${id}`), id);
      const kept = await reader.tagged('c', 'STORE 1 +FLAGS (\\Seen)');
      assert.match(kept.at(-1)!, /^c (?:NO|OK)/);
      reader.send('d APPEND INBOX {500000+}\r\n');
      await reader.pour('a: b\r\n'.repeat(83_334).slice(0, 500_000));
      reader.send('\r\n');
      assert.match((await reader.line()) ?? '', /^(?:d NO|\* )/);
      rmSync(filler);
      rmSync(ballast);
      assert.match((await reader.tagged('e', 'STORE 1:3 +FLAGS (\\Deleted)')).at(-1)!, /^e OK/);
      assert.match((await reader.tagged('f', 'EXPUNGE')).at(-1)!, /^f OK/);
      reader.close();
      const answer = await again(server);
      assert.match(answer, /^250/);
      assert.equal(server.running.child.exitCode, null);
      await server.running.stop();
      server.running = await server.running.restart();
      assert.ok((await server.count()) >= accepted.size - 3);
      await server.running.stop();
    } finally {
      await server?.running.stop('SIGKILL').catch(() => undefined);
      execFileSync('umount', ['-l', disk]);
    }
  },
);

/** A small message, until the server has noticed that there is room. */
async function again(server: WholeServer): Promise<string> {
  let answer = '';
  await waitFor(async () => {
    answer = await server.deliver('Subject: after\r\n\r\nx');
    return answer.startsWith('250');
  }, 5_000);
  return answer;
}

function fillUp(file: string): void {
  for (const size of [1_048_576, 65_536, 4_096]) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(size), { flag: 'a' });
    } catch {
      // Full, for pieces of this size.
    }
  }
}

function pair(options: Parameters<typeof testCertificate>[0]): [string, string] {
  const { certificate, key } = testCertificate(options);
  return [certificate, key];
}

function certified(name: string): string {
  const at = (end: string): string => JSON.stringify(path.join(folder, `${name}.${end}`));
  return `smtpd_tls_cert_file = ${at('pem')}\nsmtpd_tls_key_file = ${at('key')}\n`;
}

function databaseIn(data: string): string {
  const name = readdirSync(data).find((one) => /\.(?:db|sqlite3?)$/.test(one));
  return path.join(data, name ?? assert.fail(`no database in ${readdirSync(data).join(' ')}`));
}

/** Why no small file system can be made here; false when it can. */
function canMount(): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux';
  const place = mkdtempSync(path.join(tmpdir(), 'postern-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', place], { stdio: 'ignore' });
    execFileSync('umount', [place]);
    return false;
  } catch {
    return 'mounting is not allowed here';
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
