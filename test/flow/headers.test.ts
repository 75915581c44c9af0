/** What the server wrote at receipt, read again by `postern headers` when the DNS has forgotten it. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { signed, testKey } from '#trust/dkim/testing.ts';
import { HOME, Target, letter } from '../world/stranger.ts';

const key = testKey('rsa-sha256', 'good.test', 'mail', 2_048);
const GOOD = '192.0.2.10';
const HOST = `mx.${HOME}`;

let target: Target;
/** As it lies in the mailbox, our own lines on top. */
let stored: string;

before(async () => {
  target = await Target.start({
    'good.test': { txt: ['v=spf1 ip4:192.0.2.10 -all'], a: [GOOD] },
    '_dmarc.good.test': { txt: ['v=DMARC1; p=reject'] },
    'mail._domainkey.good.test': { txt: [[key.record.slice(0, 250), key.record.slice(250)]] },
  });
  const head = ['From: Joe <joe@good.test>', 'Subject: kept', 'Message-ID: <k@good.test>'];
  const message = signed(letter(head), key, { atMs: Date.now() });
  assert.match(await target.deliver({ ip: GOOD, sender: 'joe@good.test', message }), /^250/);
  await target.trace('joe@good.test');
  const text = await target.mailbox();
  const begin = /BODY\[\] \{(\d+)\}\r\n/.exec(text);
  assert.ok(begin !== null, text);
  const from = begin.index + begin[0].length;
  stored = text.slice(from, from + Number(begin[1]));
});

after(() => target.stop());

interface Report {
  readonly headline: { readonly kind: string; readonly domain?: string; readonly grade?: string };
  readonly handedOver: { readonly text: string; readonly grade: string };
  readonly hops: readonly { readonly zone: string; readonly why: string }[];
  readonly authentication: {
    readonly spf: { readonly result: string };
    readonly dkim: readonly { readonly status: string; readonly reason: string }[];
    readonly dmarc: { readonly result: string };
    readonly results: readonly { readonly standing: string }[];
  };
}

async function report(message: string, ...options: string[]): Promise<Report> {
  const { code, output } = await target.run(['headers', '--json', ...options, '-'], message);
  assert.equal(code, 0, output);
  return JSON.parse(output) as Report;
}

test('our own record proves the message without any DNS: signature, SPF, DMARC of that day', async () => {
  const one = await report(stored, '--ledger');
  assert.deepEqual(
    [one.headline.kind, one.headline.domain, one.headline.grade],
    ['authenticated', 'good.test', 'P'],
  );
  const { spf, dkim, dmarc } = one.authentication;
  assert.deepEqual([spf.result, dkim[0]?.status, dmarc.result], ['pass', 'pass', 'pass']);
  assert.match(one.handedOver.text, /^192\.0\.2\.10/);
  assert.equal(one.handedOver.grade, 'P');
});

test('without the record the key is not available, and nothing is called failed', async () => {
  const one = await report(stored, '--trusted-mx', HOST);
  assert.equal(one.headline.kind, 'cannot be determined');
  assert.deepEqual(one.authentication.dkim[0]?.status, 'unknown');
  assert.match(one.authentication.dkim[0]?.reason ?? '', /^key not available/);
});

test('the server’s own results are believed by its id, and only above its line', async () => {
  const one = await report(stored, '--authserv-id', HOST, '--trusted-mx', HOST);
  assert.deepEqual([one.headline.kind, one.headline.grade], ['authenticated', 'T']);
  assert.equal(one.authentication.results[0]?.standing, 'believed');
  const none = await report(stored, '--trusted-mx', HOST);
  assert.equal(none.authentication.results[0]?.standing, 'claimed');
});

test('a queue id that we never gave is no anchor', async () => {
  const forged = stored.replace(/(\tid )[^\s;]+/, '$1ZZZZZZZZ');
  assert.notEqual(forged, stored);
  const one = await report(forged, '--ledger');
  assert.equal(one.headline.kind, 'cannot be determined');
  assert.ok(one.hops.every(({ zone }) => zone === 'claimed'));
});

test('live, with the name server asked for it, the verdict is the same', async () => {
  const live = ['--trusted-mx', HOST, '--dns', '--resolver', target.dns.server];
  const one = await report(stored, ...live);
  assert.deepEqual([one.headline.kind, one.headline.grade], ['authenticated', 'P']);
  assert.deepEqual(one.authentication.dmarc.result, 'pass');
});
