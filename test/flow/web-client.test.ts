/** The web client against a server that redirects, floods, sleeps and shows wrong certificates. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Failure } from '#base/failure.ts';
import type { WebRequest } from '#base/web.ts';
import type { Resolver } from '#base/world.ts';
import { systemWeb, type WebOptions } from '#network/http/client.ts';
import { testAuthority, testCertificate } from '../world/certificates.ts';
import { type PolicyHost, startPolicyHost } from '../world/policy-host.ts';

const DAY_MS = 86_400_000;
const authority = testAuthority();
const names = ['mta-sts.a.test', 'mta-sts.b.test'];
const past = {
  notBefore: new Date(Date.now() - 2 * DAY_MS),
  notAfter: new Date(Date.now() - DAY_MS),
};
let good: PolicyHost;
let expired: PolicyHost;
let stranger: PolicyHost;

before(async () => {
  good = await startPolicyHost(testCertificate({ names, issuer: authority }));
  expired = await startPolicyHost(testCertificate({ names, issuer: authority, ...past }));
  stranger = await startPolicyHost(testCertificate({ names, issuer: testAuthority() }));
});

after(() => Promise.all([good.close(), expired.close(), stranger.close()]));

test('an answer is read whole, by the name that was asked for', async () => {
  good.answers.set('mta-sts.a.test', { body: 'yes', headers: { 'x-one': '1' } });
  const answer = await get(good.port, 'https://mta-sts.a.test/x?y');
  assert.deepEqual([answer.status, Buffer.from(answer.body).toString()], [200, 'yes']);
  assert.equal(answer.headers.get('x-one'), '1');
  assert.equal(good.requests.at(-1), 'GET mta-sts.a.test/x?y');
});

test('a redirect is an answer: it is not followed (RFC 8461 3.3)', async () => {
  const headers = { location: 'https://mta-sts.b.test/' };
  good.answers.set('mta-sts.a.test', { status: 301, headers });
  good.answers.set('mta-sts.b.test', { body: 'followed' });
  const before = good.requests.length;
  assert.equal((await get(good.port, 'https://mta-sts.a.test/')).status, 301);
  assert.equal(good.requests.length, before + 1);
});

test('certificates that are late, for others, or of strangers fail', async () => {
  const rows = [
    [expired.port, 'https://mta-sts.a.test/'],
    [stranger.port, 'https://mta-sts.a.test/'],
    [good.port, 'https://mta-sts.c.test/'],
    [good.port, 'https://127.0.0.1/'],
  ] as const;
  for (const [port, url] of rows) assert.equal(await failing(port, url), 'tls-unverified', url);
});

test('too much, too slow, nobody there, nowhere to go', async () => {
  good.answers.set('mta-sts.a.test', { body: 'x'.repeat(1_001) });
  assert.equal(await failing(good.port, 'https://mta-sts.a.test/'), 'too-large');
  good.answers.set('mta-sts.a.test', { body: 'x'.repeat(1_000) });
  assert.equal((await get(good.port, 'https://mta-sts.a.test/')).body.length, 1_000);
  good.answers.set('mta-sts.a.test', { silent: true });
  assert.equal(await failing(good.port, 'https://mta-sts.a.test/', 100), 'timeout');
  assert.equal(await failing(1, 'https://mta-sts.a.test/'), 'unreachable');
  assert.equal(await failing(good.port, 'https://none.test/'), 'name-not-found');
  assert.equal(await failing(good.port, 'https://broken.test/'), 'name-not-found');
  assert.equal(await failing(good.port, 'http://user:pass@mta-sts.a.test/'), 'bad-url');
  assert.equal(await failing(good.port, 'file:///etc/passwd'), 'bad-url');
});

test('a stranger’s name does not make us ask our own machine', async () => {
  const before = good.requests.length;
  assert.equal(
    await failing(good.port, 'https://mta-sts.a.test/', 1_000, { isForbidden }),
    'name-not-found',
  );
  assert.equal(
    await failing(good.port, 'https://127.0.0.1/', 1_000, { isForbidden }),
    'name-not-found',
  );
  assert.equal(good.requests.length, before);
});

function isForbidden(address: string): boolean {
  return address.startsWith('127.');
}

function get(port: number, url: string, timeoutMs = 2_000, more: Partial<WebOptions> = {}) {
  const resolver = {
    a: (name: string) => {
      if (name === 'none.test') return Promise.resolve({ kind: 'none', why: 'nxdomain' });
      if (name === 'broken.test') return Promise.resolve({ kind: 'failed', reason: 'SERVFAIL' });
      return Promise.resolve({ kind: 'found', records: ['127.0.0.1'] });
    },
    aaaa: () => Promise.resolve({ kind: 'none', why: 'nodata' }),
  } as unknown as Resolver;
  const { certificate: authorities } = authority;
  const web = systemWeb({ resolver, authorities, httpsPort: port, ...more });
  const request: WebRequest = { method: 'GET', url, timeoutMs, maxBytes: 1_000 };
  return web.send(request);
}

async function failing(
  port: number,
  url: string,
  timeoutMs?: number,
  more?: Partial<WebOptions>,
): Promise<string> {
  try {
    const { status } = await get(port, url, timeoutMs, more);
    return String(status);
  } catch (thrown) {
    return Failure.from(thrown).code;
  }
}
