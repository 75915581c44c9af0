/** What a newcomer reads, and what scripts read: the same facts, lines that a shell takes. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { statSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Secret } from '#base/secret.ts';
import { inFolder } from '../testing.ts';
import { demoBanner, pasteLines } from './banner.ts';
import type { BannerFacts } from './banner.ts';
import type { ListenerName } from './listeners.ts';
import type { OpenListener } from './opening.ts';
import { writeReady } from './ready.ts';

function open(name: ListenerName, port: number, instead?: number): OpenListener {
  const tls = name === 'submission' ? 'starttls' : 'implicit';
  const hosts = ['127.0.0.1', '::1'];
  return {
    row: { name, protocol: 'smtp', tls, hosts, port, maxConnections: 1 },
    places: hosts.map((address) => ({ address, port })),
    instead,
  };
}

function facts(password: string | undefined, ca = '/x/ca.pem'): BannerFacts {
  const secret = password === undefined ? undefined : new Secret(password);
  return {
    domain: 'demo.test',
    ca,
    accounts: ['alice@demo.test', 'bob@demo.test', 'trap@demo.test'].map((address) => ({
      address,
      password: secret,
    })),
    listeners: [open('submission', 1587), open('submissions', 1466, 1465), open('imaps', 1993)],
    dataDirectory: '/x',
    tookMs: 123.4,
    program: 'npx postern',
    dataOption: ' --data /x',
  };
}

test('the first start shows passwords, places, and who is in the way', () => {
  const text = demoBanner(facts('pw1'), { colour: false });
  assert.match(text, /ready \(123 ms\)/);
  assert.match(text, /alice@demo\.test {2,}password pw1/);
  assert.match(text, /submissions {2}TLS {7}127\.0\.0\.1:1466 \[::1\]:1466 {2}\(1465 is in use\)/);
  assert.match(text, /kept nowhere/);
});

test('the second start says how to set a new password', () => {
  const text = demoBanner(facts(undefined), { colour: false });
  assert.match(text, /shown at the first start/);
  assert.match(text, /npx postern account password alice@demo\.test --generate --data \/x/);
  assert.match(text, /--auth-password PASSWORD/);
});

test('the lines are what a shell reads them to be, also with blanks in the path', () => {
  const lines = pasteLines(facts('pw1', "/home/it's me/ca.pem"));
  assert.equal(lines.length, 4);
  const words = lines.map((line) =>
    execFileSync('sh', ['-c', line.replace(/(^|\| )(swaks|curl|openssl)/g, '$1printf "[%s]"')], {
      encoding: 'utf8',
    }),
  );
  assert.match(
    words[0] ?? '',
    /^\[--server\]\[127\.0\.0\.1\]\[--port\]\[1587\]\[--tls\]\[--auth\]/,
  );
  assert.match(
    words[1] ?? '',
    /\[--cacert\]\[\/home\/it's me\/ca\.pem\].*\[smtps:\/\/127\.0\.0\.1:1466\]$/,
  );
  assert.match(words[2] ?? '', /\[imaps:\/\/127\.0\.0\.1:1993\/INBOX;MAILINDEX=1\]$/);
  assert.match(words[3] ?? '', /\[s_client\]\[-quiet\]\[-crlf\]\[-starttls\]\[smtp\]/);
});

test('the ready file: the same as JSON, for the owner alone', async () => {
  await inFolder(async (folder) => {
    const file = join(folder, 'ready.json');
    writeReady(file, facts('pw1'));
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), {
      domain: 'demo.test',
      ca: '/x/ca.pem',
      accounts: [
        { address: 'alice@demo.test', password: 'pw1' },
        { address: 'bob@demo.test', password: 'pw1' },
        { address: 'trap@demo.test', password: 'pw1' },
      ],
      listeners: {
        submission: { host: '127.0.0.1', port: 1587 },
        submissions: { host: '127.0.0.1', port: 1466 },
        imaps: { host: '127.0.0.1', port: 1993 },
      },
    });
    writeReady(file, facts(undefined));
    assert.equal(readFileSync(file, 'utf8').includes('"password": null'), true);
  });
});
