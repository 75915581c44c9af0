/** The whole auditor against servers that only mean harm: it ends in time, says what it could not tell, shows nothing raw. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isFound } from '#audit/finding.ts';
import type { Report } from '#audit/report.ts';
import { HOSTILE, type Hostile, startHostile } from '../world/hostile-servers.ts';
import { POSTERN } from '../world/whole-server.ts';

interface Told {
  readonly code: number | null;
  readonly ms: number;
  readonly out: string;
  readonly err: string;
  readonly maxBytes: number;
}

/** What a run at level safe may take at one port that does its worst, in milliseconds. */
const END_MS = 45_000;
/** Memory of the auditor, at its highest. */
const MEMORY_BYTES = 400 * 1_048_576;

/** A command at such a server, as a user starts it. */
async function tried(hostile: Hostile, command: string, more: readonly string[]): Promise<Told> {
  const server = await startHostile(hostile);
  try {
    return await ran([command, `127.0.0.1:${server.port}`, ...more]);
  } finally {
    server.close();
  }
}

/** Runs it, and watches its time and its memory. */
function ran(args: readonly string[]): Promise<Told> {
  const startMs = performance.now();
  const child = spawn(POSTERN, args, { timeout: 2 * END_MS, killSignal: 'SIGKILL' });
  const pieces = { out: [] as Buffer[], err: [] as Buffer[] };
  child.stdout.on('data', (bytes: Buffer) => void pieces.out.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => void pieces.err.push(bytes));
  let maxBytes = 0;
  const watch = setInterval(() => {
    maxBytes = Math.max(maxBytes, peakOf(child.pid ?? 0));
  }, 100);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      clearInterval(watch);
      const [out, err] = [pieces.out, pieces.err].map((all) => Buffer.concat(all).toString());
      const ms = performance.now() - startMs;
      resolve({ code, ms, out: out ?? '', err: err ?? '', maxBytes });
    });
  });
}

/** The most memory that a process had; 0 where the system does not say. */
function peakOf(pid: number): number {
  try {
    const [, kilobytes = '0'] =
      /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes) * 1_024;
  } catch {
    return 0;
  }
}

/** What no terminal may be sent: all controls but the ends of lines. */
const CONTROLS = /[\0-\x09\x0b-\x1f\x7f-\x9f]/u;

/** In time, within its memory, with a status of its own, and nothing raw shown. */
function assertSane({ code, ms, maxBytes, out, err }: Told): void {
  assert.ok(ms < END_MS, `${Math.round(ms)} ms`);
  assert.ok(maxBytes < MEMORY_BYTES, `${maxBytes} octets`);
  assert.doesNotMatch(out + err, CONTROLS);
  assert.doesNotMatch(out + err, /internal error|unsettled|at .*\.ts:\d/);
  assert.ok(code !== null && code !== 13, String(code));
}

const FLAGS = { json: '--output', html: '--html', sarif: '--sarif', junit: '--junit' } as const;
const FORMS = ['json', 'html', 'sarif', 'junit'] as const;

describe('servers that mean harm', { concurrency: 3 }, () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'postern-hostile-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const active = HOSTILE.filter((one) => one.active === true).map(
    (one) => [one, 'active'] as const,
  );
  const cases = [...HOSTILE.map((one) => [one, 'safe'] as const), ...active];
  for (const [at, [hostile, level]] of cases.entries()) {
    it(`${hostile.name}, at level ${level}`, async () => {
      const file = path.join(folder, `${at}.json`);
      const files = FORMS.flatMap((form) => [FLAGS[form], path.join(folder, `${at}.${form}`)]);
      // Nobody is asked about the domain's records.
      const domain = level === 'safe' ? [] : ['--domain', 'mock.test', '--skip', 'posture'];
      const how = ['--all', '--level', level, ...domain];
      const told = await tried(hostile, 'audit', [...how, ...files]);
      assertSane(told);
      const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
      const kinds = report.services.map(({ protocol }) => protocol);
      assert.deepEqual([...new Set(kinds)], hostile.speaks === undefined ? [] : [hostile.speaks]);
      // Nothing that was tried may be lost, and what could not be told is no pass.
      const unclear = report.findings.filter(({ confidence }) => confidence === 'inconclusive');
      assert.ok(report.findings.length > 0);
      if (hostile.speaks === undefined) {
        assert.equal(told.code, 2);
        assert.equal(unclear.length, report.findings.length);
      } else assert.ok(unclear.length + report.findings.filter(isFound).length > 0);
      for (const form of FORMS) {
        const text = readFileSync(path.join(folder, `${at}.${form}`), 'utf8');
        assert.doesNotMatch(text, CONTROLS, form);
        // They did come, and are told in letters.
        if (/escape/.test(hostile.name)) assert.ok(text.includes('x1b[2J'), form);
      }
    });
  }
});

describe('by hand, and asked for names', { concurrency: 3 }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-hostile-'));
  const names = path.join(folder, 'names');
  before(() => writeFileSync(names, 'ann\nbob\ncarla\n'));
  after(() => rmSync(folder, { recursive: true }));
  const script = ['--ehlo', 'x.invalid', '--quit-after', 'rcpt', '--from', 'a@b.test'];

  for (const hostile of HOSTILE.filter(({ patience }) => patience !== true)) {
    it(`users: ${hostile.name}`, async () => {
      const mode = hostile.name.startsWith('IMAP') ? 'imap' : 'rcpt';
      const told = await tried(hostile, 'users', ['--names', names, '--mode', mode]);
      assertSane(told);
      assert.notEqual(told.code, 1, told.out);
    });

    it(`talk: ${hostile.name}`, async () => {
      const told = await tried(hostile, 'talk', [...script, '--to', 'c@d.test']);
      assertSane(told);
    });
  }
});
