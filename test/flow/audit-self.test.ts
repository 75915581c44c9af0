/** The mirror: the auditor as users start it finds nothing grave on our defaults, and says how sure. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, suite, test } from 'node:test';
import { isFound } from '#audit/finding.ts';
import type { Report } from '#audit/report.ts';
import { ROOT } from '../laws/tree.ts';
import { startDnsServer } from '../world/dns-server.ts';
import { type Running, startPostern } from '../world/postern.ts';
import { startMock } from '../world/audit.ts';

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

function postern(args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const file = path.join(ROOT, 'bin/postern');
    const options = { env: { ...process.env, NO_COLOR: '1' }, maxBuffer: 67_108_864 };
    const child = execFile(file, args, options, (_error, out, err) => {
      resolve({ status: child.exitCode ?? -1, out, err });
    });
  });
}

function waiverIn(folder: string, until: string): string {
  const file = path.join(folder, 'waivers.toml');
  const rows = `[[waiver]]\nid = "fingerprint.product"\nuntil = ${until}\nreason = "known"\n`;
  writeFileSync(file, rows);
  return file;
}

/** Messages in mailboxes and in the queue. */
function keptMessages(folder: string): number {
  const data = path.join(folder, 'data');
  const name = readdirSync(data).find((one) => /\.(?:db|sqlite3?)$/.test(one)) ?? '';
  const database = new DatabaseSync(path.join(data, name), { readOnly: true });
  const sql =
    'SELECT (SELECT count(*) FROM messages) + (SELECT count(*) FROM queue_messages) AS kept';
  const kept = Number(database.prepare(sql).get()?.['kept']);
  database.close();
  return kept;
}

suite('postern audit', () => {
  let server: Running;
  let folder: string;
  let target: readonly string[];

  before(async () => {
    server = await startPostern();
    folder = mkdtempSync(path.join(tmpdir(), 'postern-audit-'));
    const ports = Object.values(server.ready.listeners).map(({ port }) => port);
    target = ['audit', '127.0.0.1', '--ports', ports.join(','), '--skip', 'posture'];
  });

  after(async () => {
    await server.stop();
    server.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  test('nothing of medium or higher is found on our defaults, and level safe takes under 10 s', async () => {
    const started = performance.now();
    const { status, out } = await postern([...target, '--json']);
    assert.ok(performance.now() - started < 10_000);
    const report: Report = JSON.parse(out);
    assert.equal(report.services.length, Object.keys(server.ready.listeners).length);
    const grave = report.findings.filter(
      (finding) => isFound(finding) && !['info', 'low'].includes(finding.severity),
    );
    assert.deepEqual(
      grave.map(({ id, seen }) => `${id}: ${seen}`),
      [],
    );
    const unclear = report.findings.filter(({ confidence }) => confidence === 'inconclusive');
    assert.deepEqual(
      unclear.map(({ id, seen }) => `${id}: ${seen}`),
      [],
    );
    assert.equal(status, 0);
    // Content is begun, and refused because of its hops.
    assert.equal(keptMessages(server.folder), 0, 'level safe sends no mail');
  });

  test('level active finds nothing of medium or higher either, and takes under 60 s', async () => {
    const started = performance.now();
    const { status, out } = await postern([...target, '--level', 'active', '--json']);
    const ms = performance.now() - started;
    assert.ok(ms < 60_000, `${ms} ms`);
    const report: Report = JSON.parse(out);
    const grave = report.findings.filter(
      ({ severity, confidence }) =>
        confidence !== 'not-observed' && !['info', 'low'].includes(severity),
    );
    assert.deepEqual(
      grave.map(({ id, confidence, seen }) => `${id} ${confidence}: ${seen}`),
      [],
    );
    // The whole product was tried, in all twelve manners.
    const ends = report.findings.find(
      ({ id, details }) => id === 'smuggling.bare-lf' && details['passes'] !== undefined,
    );
    const passes = ends?.details['passes'];
    assert.equal(Array.isArray(passes) ? passes.length : 0, 12, ends?.seen ?? '');
    assert.equal(status, 0);
  });

  test('every report format is written; replay and compare agree with what was saved', async () => {
    const outputs = ['output', 'html', 'sarif', 'junit'].flatMap((name) => [
      `--${name}`,
      path.join(folder, name),
    ]);
    const first = await postern([...target, '--only', 'plaintext,fingerprint', ...outputs]);
    assert.equal(first.status, 0, first.err);
    assert.match(first.out, /passed: \d+ found, 0 not told/);
    const html = readFileSync(path.join(folder, 'html'), 'utf8');
    assert.doesNotMatch(html, /<script|src=|href=|https?:\/\//i, 'nothing is loaded');
    const sarif = JSON.parse(readFileSync(path.join(folder, 'sarif'), 'utf8'));
    assert.equal(sarif.version, '2.1.0');
    assert.ok(sarif.runs[0].results.length > 50);
    assert.match(
      readFileSync(path.join(folder, 'junit'), 'utf8'),
      /<testsuite name="127\.0\.0\.1:\d+" tests="\d+"/,
    );
    for (let round = 0; round < 3; round += 1) {
      const again = await postern([
        'audit',
        'replay',
        path.join(folder, 'output'),
        'plaintext',
        'fingerprint',
      ]);
      assert.equal(again.status, 0, again.out);
    }
    const same = await postern([
      'audit',
      'compare',
      path.join(folder, 'output'),
      path.join(folder, 'output'),
      '--json',
    ]);
    assert.equal(same.status, 0);
    assert.deepEqual(JSON.parse(same.out).new, []);
  });

  test('exit statuses: findings 1, undecided 2, usage 3, refused 4; a waiver lasts until its day', async () => {
    const strict = [...target, '--only', 'fingerprint.product', '--fail-on', 'info', '--quiet'];
    assert.equal((await postern(strict)).status, 1);
    assert.equal(
      (await postern([...strict, '--baseline', waiverIn(folder, '2999-01-01')])).status,
      0,
    );
    const late = await postern([...strict, '--baseline', waiverIn(folder, '"2020-01-01"')]);
    assert.equal(late.status, 1);
    assert.match(late.out, /the waiver ended on 2020-01-01/);
    assert.equal(
      (await postern([...strict, '--baseline', waiverIn(folder, '"for ever"')])).status,
      3,
    );
    assert.equal((await postern(['audit', '127.0.0.1:1'])).status, 2);
    assert.equal((await postern(['audit', '127.0.0.1', '--level', 'wild'])).status, 3);
    assert.equal((await postern(['audit', '127.0.0.1', '--nonsense'])).status, 3);
    assert.equal((await postern(['audit'])).status, 3);
  });

  test('strangers are refused without a word to them; their published record permits', async () => {
    const dns = await startDnsServer();
    try {
      const resolver = `127.0.0.1:${dns.port}`;
      const refused = await postern(['audit', '192.0.2.1', '--resolver', resolver, '--json']);
      assert.equal(refused.status, 4);
      assert.match(refused.err, /neither loopback nor private/);
      assert.deepEqual(JSON.parse(refused.out).findings, []);
    } finally {
      await dns.close();
    }
  });
});

/** Servers that attack whoever looks at them. Each run must end, soon, with nothing passed in silence. */
suite('hostile servers', () => {
  const hostile: Readonly<Record<string, Parameters<typeof startMock>[0]>> = {
    'an endless banner': {
      greeting: '220-more\r\n'.repeat(2_000_000),
      answer: () => undefined,
    },
    'a line without end': { greeting: 'x'.repeat(50_000_000), answer: () => undefined },
    'a greeting that never comes': { greeting: undefined, answer: () => undefined },
    'answers that never come': { greeting: '220 mock.test ESMTP\r\n', answer: () => undefined },
    'an EHLO reply without end': {
      greeting: '220 mock.test ESMTP\r\n',
      answer: () => '250-AUTH PLAIN\r\n'.repeat(100_000),
    },
    'escape codes everywhere': {
      greeting: '220 \x1b]0;pwned\x07\x1b[2J\u009b31m ESMTP\r\n',
      answer: (line) => `250 \x1b[31m${line}\x07\u202e\r\n`,
    },
    'markup everywhere': {
      greeting: '220 <script>alert(1)</script> ESMTP\r\n',
      answer: (line) => `550 ]]></failure><img src=x onerror=alert(1)> ${line}\r\n`,
    },
    'a yes to everything': {
      greeting: '220 mock.test ESMTP\r\n',
      answer: (line) => (line === 'STARTTLS' ? '220 go\r\n' : '250 yes\r\n'),
    },
  };

  for (const [name, mock] of Object.entries(hostile)) {
    test(name, { timeout: 60_000 }, async () => {
      const server = await startMock(mock);
      const folder = mkdtempSync(path.join(tmpdir(), 'postern-audit-'));
      const flood = setInterval(() => undefined, 1_000);
      try {
        const started = performance.now();
        const html = path.join(folder, 'report.html');
        const junit = path.join(folder, 'report.xml');
        const { status, out, err } = await postern([
          'audit',
          `127.0.0.1:${server.port}`,
          '--html',
          html,
          '--junit',
          junit,
          '--all',
        ]);
        assert.ok(performance.now() - started < 20_000, `${performance.now() - started} ms`);
        // Findings, or undecided: a server that cannot be talked to never passes.
        assert.ok([1, 2].includes(status), `${status} ${err}`);
        assert.doesNotMatch(`${out}${err}`, /internal error/);
        assert.doesNotMatch(out, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/, 'the terminal is steered');
        const page = readFileSync(html, 'utf8');
        assert.doesNotMatch(page, /<script|<img|onerror=alert\(1\)>/i);
        assert.doesNotMatch(page, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
        assert.doesNotMatch(readFileSync(junit, 'utf8'), /<img|<script/);
        assert.match(out, /^undecided: |^\d+ found|not told|unknown/m, 'silence is no pass');
      } finally {
        clearInterval(flood);
        await server.close();
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});
