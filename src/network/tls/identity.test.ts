/** Certificates: what is refused and with which words, names, replacing without a restart. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { Failure } from '#base/failure.ts';
import type { Clock } from '#base/world.ts';
import { testAuthority, testCertificate } from '#test/world/certificates.ts';
import { tlsIdentity } from './files.ts';
import { Certificates, loadCertificate } from './identity.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'postern-tls-'));
const authority = testAuthority();
const nowMs = Date.now();
after(() => rmSync(folder, { recursive: true }));

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (thrown) {
    assert.ok(thrown instanceof Failure, String(thrown));
    assert.equal(thrown.kind, 'permanent');
    return thrown.code;
  }
  return 'no failure';
}

function fakeClock(): Clock & { fire(): void } {
  const tasks: (() => void)[] = [];
  return {
    now: () => nowMs,
    elapsed: () => 0,
    after: (_ms, task) => {
      tasks.push(task);
      return { cancel: () => void tasks.splice(tasks.indexOf(task), 1) };
    },
    fire: () => tasks.shift()?.(),
  };
}

function write(name: string, names: readonly string[]) {
  const made = testCertificate({ names, issuer: authority });
  const certificateFile = path.join(folder, `${name}.pem`);
  const keyFile = path.join(folder, `${name}.key`);
  writeFileSync(certificateFile, made.certificate);
  writeFileSync(keyFile, made.key);
  return { certificateFile, keyFile };
}

test('each thing that can be wrong with a pair has its word', () => {
  const good = testCertificate({ names: ['mx.test'], issuer: authority });
  const other = testCertificate({ names: ['mx.test'] });
  const day = 86_400_000;
  const table: readonly [string, { certificate: string; key: string }, number][] = [
    ['no failure', good, nowMs],
    ['certificate-mismatch', { ...good, key: other.key }, nowMs],
    ['certificate-expired', good, nowMs + 31 * day],
    ['certificate-not-yet-valid', good, nowMs - 2 * day],
    ['certificate-unreadable', { ...good, certificate: '' }, nowMs],
    ['certificate-unreadable', { ...good, certificate: good.key }, nowMs],
    ['key-unreadable', { ...good, key: 'not a key' }, nowMs],
    ['key-unreadable', { ...good, key: good.certificate }, nowMs],
  ];
  for (const [code, pair, at] of table) {
    const source = 'mx.pem';
    assert.equal(
      codeOf(() => loadCertificate({ ...pair, source }, { nowMs: at })),
      code,
    );
  }
  assert.equal(
    codeOf(() => new Certificates([], { nowMs })),
    'certificate-missing',
  );
});

test('files: missing, found, names and end', () => {
  const missing = path.join(folder, 'missing.pem');
  const files = [{ certificateFile: missing, keyFile: missing }];
  const clock = fakeClock();
  assert.equal(
    codeOf(() => tlsIdentity({ files, clock })),
    'certificate-missing',
  );
  const identity = tlsIdentity({ files: [write('a', ['MX.test', '*.b.test'])], clock });
  assert.deepEqual(identity.names, ['mx.test', '*.b.test']);
  assert.ok(Math.abs(identity.notAfterMs - (nowMs + 30 * 86_400_000)) < 3_600_000);
  identity.close();
});

test('a changed file is taken, a broken one is told and the old one stays', () => {
  const clock = fakeClock();
  const told: (string | undefined)[] = [];
  const files = [write('live', ['one.test'])];
  const reloaded = (failure?: Failure): void => void told.push(failure?.code);
  const identity = tlsIdentity({ files, clock, reloaded });
  clock.fire();
  assert.deepEqual([identity.names, told], [['one.test'], []]);
  write('live', ['two.test', 'more.test']);
  clock.fire();
  assert.deepEqual([identity.names, told], [['two.test', 'more.test'], [undefined]]);
  writeFileSync(files[0]!.certificateFile, 'half a certif');
  clock.fire();
  assert.deepEqual(identity.names, ['two.test', 'more.test']);
  assert.deepEqual(told, [undefined, 'certificate-unreadable']);
  assert.equal(
    codeOf(() => identity.reload()),
    'certificate-unreadable',
  );
  write('live', ['three.test']);
  clock.fire();
  assert.deepEqual(identity.names, ['three.test']);
  identity.close();
  clock.fire();
});

test('a million unknown names cost nothing', () => {
  const source = 'x';
  const pair = testCertificate({ names: ['mx.test'] });
  const identity = new Certificates([{ ...pair, source }], { nowMs });
  for (const name of ['', '.', '..', '\0', 'x'.repeat(65_536), '__proto__', 'mx.test\\\0']) {
    assert.equal(identity.named(name), identity.fallback);
  }
  assert.equal(identity.named('MX.test.'), identity.fallback);
});
