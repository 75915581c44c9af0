/** When a certificate is due, and how patience grows with failures; the rest is shown by pebble. */

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { Failure } from '#base/failure.ts';
import type { Clock } from '#base/world.ts';
import { AcmeAuthority } from '#test/world/acme-authority.ts';
import { testAuthority, testCertificate } from '#test/world/certificates.ts';
import { type AcmeRenewal, AcmeRenewer, acmeFiles, placeholder } from './acme.ts';
import { Challenges } from './challenges.ts';

const DAY_MS = 86_400_000;

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-acme-unit-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A renewer whose authority is never there, over a clock that waits for nobody. */
function renewer(directory: string, more: Partial<AcmeRenewal> = {}, time = { elapsedMs: 0 }) {
  const waits: number[] = [];
  const tasks: (() => void)[] = [];
  const said: string[] = [];
  const clock: Clock = {
    now: () => Date.now(),
    elapsed: () => time.elapsedMs,
    after: (ms, task) => {
      waits.push(ms);
      tasks.push(task);
      return { cancel: () => undefined };
    },
  };
  const made = new AcmeRenewer({
    web: { send: () => Promise.reject(Failure.temporary('unreachable', 'nobody there')) },
    clock,
    random: { bytes: (length) => new Uint8Array(length).fill(128) },
    log: { event: (_, name) => void said.push(name) },
    directory,
    authority: 'https://acme.test/directory',
    contact: undefined,
    termsAgreed: true,
    kind: 'http-01',
    names: () => ['mx.a.test'],
    challenges: new Challenges(),
    isOwn: () => false,
    renewed: () => undefined,
    ...more,
  });
  return { made, waits, tasks, said };
}

function put(directory: string, names: string[], from: number, to: number): void {
  const issued = testCertificate({
    names,
    issuer: testAuthority(),
    notBefore: new Date(Date.now() + from * DAY_MS),
    notAfter: new Date(Date.now() + to * DAY_MS),
  });
  writeFileSync(acmeFiles(directory).certificateFile, issued.certificate);
  writeFileSync(acmeFiles(directory).keyFile, issued.key);
}

describe('ACME renewal', () => {
  test('due: none, our own, another name, the last third of its life', (t) => {
    const directory = folderOf(t);
    assert.equal(renewer(directory).made.due(), 'there is none');
    put(directory, ['mx.a.test'], -1, 89);
    assert.equal(renewer(directory).made.due(), undefined);
    assert.equal(renewer(directory, { isOwn: () => true }).made.due(), 'it is our own');
    const two = renewer(directory, { names: () => ['mx.a.test', 'mta-sts.b.test'] });
    assert.equal(two.made.due(), 'it is not for mta-sts.b.test');
    put(directory, ['mx.a.test'], -59, 31);
    assert.equal(renewer(directory).made.due(), undefined);
    put(directory, ['mx.a.test'], -61, 29);
    assert.match(renewer(directory).made.due() ?? '', /^it ends on/);
    put(directory, ['mx.a.test'], -5, 1);
    assert.match(renewer(directory).made.due() ?? '', /^it ends on/);
  });

  test('failures wait twice as long each time, up to a day; the old certificate stays', async (t) => {
    const directory = folderOf(t);
    put(directory, ['mx.a.test'], -61, 29);
    const before = readFileSync(acmeFiles(directory).certificateFile, 'latin1');
    const { made, waits, tasks, said } = renewer(directory);
    made.start();
    for (let round = 0; round < 12; round += 1) {
      tasks.shift()?.();
      while (tasks.length === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(said.length, 12);
    assert.ok(said.every((name) => name === 'acme-failed'));
    assert.deepEqual(waits.slice(1, 5), [300_000, 600_000, 1_200_000, 2_400_000]);
    assert.equal(Math.max(...waits), DAY_MS);
    assert.equal(readFileSync(acmeFiles(directory).certificateFile, 'latin1'), before);
    assert.equal(statSync(join(directory, 'account.key')).mode & 0o777, 0o600);
    made.stop();
  });

  test('a name that cannot be proven does not cost the others their certificate', async (t) => {
    const directory = folderOf(t);
    put(directory, ['mx.a.test'], -61, 29);
    const web = new AcmeAuthority();
    web.broken.add('mta-sts.b.test').add('mta-sts.d.test');
    const names = ['mx.a.test', ...['b', 'c', 'd'].map((one) => `mta-sts.${one}.test`)];
    const time = { elapsedMs: 0 };
    const { made, said } = renewer(directory, { web, names: () => names }, time);
    assert.equal(await made.renew(), true);
    const issued = new X509Certificate(readFileSync(acmeFiles(directory).certificateFile));
    assert.deepEqual(
      names.filter((name) => issued.checkHost(name) !== undefined),
      ['mx.a.test', 'mta-sts.c.test'],
    );
    assert.deepEqual(said, ['acme-name-left-out', 'acme-name-left-out', 'acme-certificate']);
    // The authority is not asked for it again before tomorrow, and nothing else is ordered anew.
    assert.equal(await made.renew(), true);
    assert.equal(web.orders.length, 3);
    time.elapsedMs += DAY_MS;
    web.broken.delete('mta-sts.b.test');
    assert.equal(await made.renew(), true);
    const again = new X509Certificate(readFileSync(acmeFiles(directory).certificateFile));
    assert.notEqual(again.checkHost('mta-sts.b.test'), undefined);
    assert.equal(again.checkHost('mta-sts.d.test'), undefined);
  });

  test('the name of the host itself is never left out', async (t) => {
    const directory = folderOf(t);
    const web = new AcmeAuthority();
    web.broken.add('mx.a.test');
    const names = ['mx.a.test', 'mta-sts.b.test'];
    const { made, said } = renewer(directory, { web, names: () => names });
    assert.equal(await made.renew(), false);
    assert.deepEqual(said, ['acme-failed']);
    assert.equal(web.orders.length, 1);
  });

  test('until there is one, or when it ended meanwhile, listeners show our own', (t) => {
    const home = folderOf(t);
    const own = { certificateFile: join(home, 'own.pem'), keyFile: join(home, 'own.key') };
    const mine = testCertificate({ names: ['mx.a.test'] });
    writeFileSync(own.certificateFile, mine.certificate);
    writeFileSync(own.keyFile, mine.key);
    const directory = join(home, 'acme');
    const shown = (): string => readFileSync(placeholder(directory, own).certificateFile, 'latin1');
    assert.equal(shown(), mine.certificate);
    assert.equal(statSync(acmeFiles(directory).keyFile).mode & 0o777, 0o600);
    put(directory, ['mx.a.test'], -1, 89);
    assert.notEqual(shown(), mine.certificate, 'a good one stays');
    put(directory, ['mx.a.test'], -90, -1);
    assert.equal(shown(), mine.certificate);
  });
});
