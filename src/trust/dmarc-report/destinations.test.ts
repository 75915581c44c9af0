/** Reports go where they are wanted: the own house, or a host that says so (RFC 7489 7.1). */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAddress } from '#base/address.ts';
import type { Lookup } from '#base/world.ts';
import type { Asked } from '../questions.ts';
import { reportDestinations } from './destinations.ts';

const none: Lookup<never> = { kind: 'none', why: 'nxdomain', authentic: false };

function nothing(): Promise<Lookup<never>> {
  return Promise.resolve(none);
}

function dns(zone: Readonly<Record<string, string>>): Asked & { readonly asked: string[] } {
  const asked: string[] = [];
  const txt = (name: string): Promise<Lookup<string>> => {
    asked.push(name);
    const text = zone[name];
    if (text === 'SERVFAIL') return Promise.resolve({ kind: 'failed', reason: 'SERVFAIL' });
    return Promise.resolve(
      text === undefined
        ? none
        : { kind: 'found', records: [text], ttlSeconds: 60, authentic: false },
    );
  };
  return { asked, txt, a: nothing, aaaa: nothing, ptr: nothing, mx: nothing };
}

async function said(domain: string, zone: Readonly<Record<string, string>>): Promise<string> {
  const found = await reportDestinations(domain, dns(zone));
  if (found.kind === 'failed') return `failed ${found.reason}`;
  const { addresses, refused } = found;
  return [...addresses.map(formatAddress), ...refused.map((one) => `not ${one}`)].join(' ');
}

test('the own domain and its organization are not asked', async () => {
  const rua = 'v=DMARC1; p=none; rua=mailto:a@there.test,mailto:b@sub.there.test';
  const own = { '_dmarc.there.test': rua };
  assert.equal(await said('there.test', own), 'a@there.test b@sub.there.test');
  const below = { ...own, '_dmarc.mail.there.test': 'v=DMARC1; p=none; rua=mailto:a@there.test' };
  assert.equal(await said('mail.there.test', below), 'a@there.test');
});

test('a foreign host must say that it wants them, or nobody is written to', async () => {
  const own = { '_dmarc.there.test': 'v=DMARC1; p=none; rua=mailto:x@victim.test' };
  const name = 'there.test._report._dmarc.victim.test';
  assert.equal(await said('there.test', own), 'not x@victim.test');
  assert.equal(await said('there.test', { ...own, [name]: 'v=spf1 -all' }), 'not x@victim.test');
  assert.equal(await said('there.test', { ...own, [name]: 'v=DMARC1' }), 'x@victim.test');
  assert.equal(await said('there.test', { ...own, [name]: 'v=DMARC1;' }), 'x@victim.test');
  assert.equal(await said('there.test', { ...own, [name]: 'SERVFAIL' }), 'failed SERVFAIL');
  // A record of the victim's own, both below one suffix: still two houses.
  const both = {
    ...own,
    '_dmarc.victim.test': 'v=DMARC1; p=none',
    '_dmarc.test': 'v=DMARC1; psd=y',
  };
  assert.equal(await said('there.test', both), 'not x@victim.test');
});

test('only mailto, at most five, and the record as it is now', async () => {
  const many = Array.from({ length: 9 }, (_, n) => `mailto:r${n}@there.test`).join(',');
  const zone = { '_dmarc.there.test': `v=DMARC1; p=none; rua=https://there.test/x,${many}` };
  assert.equal((await said('there.test', zone)).split(' ').length, 5);
  assert.equal(await said('there.test', { '_dmarc.there.test': 'v=DMARC1; p=none' }), '');
  assert.equal(await said('there.test', {}), '');
  assert.equal(await said('there.test', { '_dmarc.there.test': 'SERVFAIL' }), 'failed SERVFAIL');
});

test('an address that is named again gets one report', async () => {
  const again =
    'mailto:a@there.test,mailto:A@There.test!10m,mailto:%61@there.test,mailto:b@there.test';
  const zone = { '_dmarc.there.test': `v=DMARC1; p=none; rua=${again}` };
  assert.equal(await said('there.test', zone), 'a@there.test b@there.test');
  const far = { '_dmarc.there.test': 'v=DMARC1; p=none; rua=mailto:x@far.test,mailto:x@far.test' };
  assert.equal(await said('there.test', far), 'not x@far.test');
});

test('a record of many hosts makes a bounded number of questions', async () => {
  const deep = Array.from({ length: 10 }, (_, n) => `mailto:x@a.b.c.d.e.f.g.h${n}.test`).join(',');
  const resolver = dns({ '_dmarc.a.b.c.d.e.f.there.test': `v=DMARC1; p=none; rua=${deep}` });
  await reportDestinations('a.b.c.d.e.f.there.test', resolver);
  assert.ok(resolver.asked.length <= 53 && resolver.asked.length > 20, `${resolver.asked.length}`);
});
