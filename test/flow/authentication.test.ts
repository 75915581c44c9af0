/** Strangers' mail on a running server: what DMARC asks for happens, and the ledger says why. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fromLatin1, latin1 } from '#base/bytes.ts';
import { signed, testKey } from '#trust/dkim/testing.ts';
import type { ZoneEntry } from '../world/dns-server.ts';
import { HOME, Target, letter } from '../world/stranger.ts';

const key = testKey('rsa-sha256', 'good.test', 'mail', 2_048);
const GOOD = '192.0.2.10';
const BAD = '198.51.100.66';

let target: Target;

before(async () => {
  target = await Target.start({
    'good.test': { txt: ['v=spf1 ip4:192.0.2.10 -all'], a: ['192.0.2.10'] },
    '_dmarc.good.test': { txt: ['v=DMARC1; p=reject; rua=mailto:x@good.test'] },
    'mail._domainkey.good.test': { txt: [[key.record.slice(0, 250), key.record.slice(250)]] },
    [GOOD]: { ptr: ['out.good.test'] },
    'out.good.test': { a: [GOOD] },
    'soft.test': { txt: ['v=spf1 -all'] },
    '_dmarc.soft.test': { txt: ['v=DMARC1; p=quarantine'] },
    'none.test': { txt: ['v=spf1 ?all'] },
    '_dmarc.none.test': { txt: ['v=DMARC1; p=none'] },
    'down.test': { fault: 'servfail' },
    '_dmarc.down.test': { fault: 'servfail' },
    'mail._domainkey.down.test': { fault: 'servfail' },
    'macro.test': { txt: ['v=spf1 exists:%{l}.%{ir}._spf.macro.test -all'] },
    'ann+list.10.2.0.192._spf.macro.test': { a: ['127.0.0.2'] },
    'tele.test': { txt: ['v=spf1 -all'] },
  });
  assert.equal((await target.command('alias', 'add', `out@${HOME}`, 'x@good.test')).code, 0);
});

after(() => target.stop());

test('aligned mail is accepted and its results stand above our Received', async () => {
  const message = now(letter(['From: Joe <joe@good.test>', 'Subject: aligned']));
  const said = await target.deliver({ ip: GOOD, sender: 'joe@good.test', message });
  assert.match(said, /^250/);
  const text = await one('aligned');
  const [results, spf, received] = fieldsOf(text).slice(2, 5);
  assert.match(results ?? '', /^Authentication-Results: mx\.home\.test;\r\n\tdmarc=pass/);
  assert.match(results ?? '', /spf=pass.*smtp\.mailfrom=good\.test/s);
  assert.match(results ?? '', /dkim=pass.*header\.d=good\.test/s);
  assert.match(results ?? '', /iprev=pass \(out\.good\.test\)/);
  assert.match(spf ?? '', /^Received-SPF: pass .*client-ip=192\.0\.2\.10/s);
  assert.match(
    received ?? '',
    /^Received: from mx\.far\.test \(out\.good\.test \[192\.0\.2\.10\]\)/,
  );
  const story = await target.trace(`joe@good.test`, '--json');
  const evidence = JSON.parse(story.trim().split('\n').at(-1) ?? '').facts.authentication;
  assert.equal(evidence.dmarc.result, 'pass');
  const asked = evidence.dns.map(
    ({ type, name }: { type: string; name: string }) => `${type} ${name}`,
  );
  assert.ok(asked.includes('TXT mail._domainkey.good.test'));
  const found = evidence.dns.find(({ name }: { name: string }) => name.startsWith('mail._'));
  assert.deepEqual(found.records, [key.record], 'the whole key, to check it again later');
  assert.ok(asked.length <= 60 && new Set(asked).size === asked.length);
});

test('a spoof of a domain with p=reject is refused, and the trace says why', async () => {
  const message = letter(['From: Joe <joe@good.test>', 'Subject: spoofed', 'Message-ID: <s@x>']);
  const said = await target.deliver({ ip: BAD, sender: 'joe@good.test', message });
  assert.match(said, /^550 5\.7\./);
  const chunked = { ip: BAD, sender: 'joe@good.test', message, chunked: true };
  assert.match(await target.deliver(chunked), /^550 5\.7\./, 'in chunks');
  const aligned = { ...chunked, ip: GOOD, message: message.replace('spoofed', 'in chunks') };
  assert.match(await target.deliver(aligned), /^250/);
  const story = await target.trace('joe@good.test');
  assert.match(story, /rule: reject_dmarc/);
  assert.match(story, /nothing aligned with good\.test; p=reject of good\.test/);
  assert.match(story, /v=spf1 ip4:192\.0\.2\.10 -all/);
  assert.match(story, /v=DMARC1; p=reject/);
  assert.doesNotMatch(await target.mailbox(), /spoofed/);
});

test('a changed body is no longer signed, a forwarder without SPF is saved by DKIM', async () => {
  const whole = now(letter(['From: joe@good.test', 'Subject: forwarded'], 'as it was\r\n'));
  const from = { ip: BAD, sender: 'list@tele.test' };
  assert.match(await target.deliver({ ...from, message: whole }), /^250/);
  const text = await one('forwarded');
  assert.match(text, /dmarc=pass\s+\(aligned by dkim of good\.test/);
  assert.match(text, /spf=fail/);
  const changed = whole.replace('as it was', 'as it is not');
  assert.match(await target.deliver({ ...from, message: changed }), /^550 5\.7\./);
});

test('p=quarantine: into Junk, with the reason in the ledger', async () => {
  const message = letter(['From: a@soft.test', 'Subject: doubtful', 'Message-ID: <q@soft.test>']);
  assert.match(await target.deliver({ ip: BAD, sender: 'a@soft.test', message }), /^250/);
  assert.match(await target.mailbox('ann', 'Junk'), /Subject: doubtful/);
  assert.doesNotMatch(await target.mailbox(), /doubtful/);
  const story = await target.trace('q@soft.test');
  assert.match(story, /quarantine_dmarc/);
  assert.match(story, /mailbox: Junk/);
});

test('junk is not forwarded', async () => {
  const message = letter(['From: a@soft.test', 'Subject: for elsewhere']);
  const to = { ip: BAD, sender: 'a@soft.test', recipient: `out@${HOME}` };
  assert.match(await target.deliver({ ...to, message }), /^550 5\.7\.1/);
  const [waiting] = [await target.command('queue', 'list')];
  assert.match(waiting.output, /the queue is empty/);
});

test('what the DNS leaves open is not forwarded as junk, nor refused for good', async () => {
  const zone: Record<string, ZoneEntry> = {
    'open.test': { fault: 'servfail' },
    '_dmarc.open.test': { txt: ['v=DMARC1; p=reject'] },
  };
  const settings = 'smtpd_data_restrictions = ["quarantine_dmarc"]';
  const server = await Target.start(zone, settings);
  try {
    assert.equal((await server.command('alias', 'add', `out@${HOME}`, 'x@far.test')).code, 0);
    const message = letter(['From: a@open.test', 'Subject: for elsewhere']);
    const to = { ip: BAD, sender: 'a@open.test', recipient: `out@${HOME}`, message };
    assert.match(await server.deliver(to), /^451 4\.4\.3/);
    // Who has his mailbox here finds it in Junk.
    assert.match(await server.deliver({ ...to, recipient: `ann@${HOME}` }), /^250/);
    assert.match(await server.mailbox('ann', 'Junk'), /for elsewhere/);
    server.dns.zone.set('open.test', { txt: ['v=spf1 -all'] });
    assert.match(await server.deliver(to), /^550 5\.7\.1/);
  } finally {
    await server.stop();
  }
});

test('the DNS is down: accepted, temperror in the results, nothing refused for it', async () => {
  const other = testKey('rsa-sha256', 'down.test', 'mail');
  const message = signed(letter(['From: a@down.test', 'Subject: unknown']), other, {
    atMs: Date.now(),
  });
  assert.match(await target.deliver({ ip: BAD, sender: 'a@down.test', message }), /^250/);
  const text = await one('unknown');
  for (const result of ['dmarc=temperror', 'spf=temperror', 'dkim=temperror']) {
    assert.ok(text.includes(result), `${result}: ${text}`);
  }
});

test('the DNS leaves open whether a policy is broken: come again, and then it is told', async () => {
  const zone = target.dns.zone;
  zone.set('_dmarc.open.test', { txt: ['v=DMARC1; p=reject'] });
  zone.set('open.test', { fault: 'servfail' });
  const message = letter(['From: a@open.test', 'Subject: left open', 'Message-ID: <o@open.test>']);
  const spoof = { ip: BAD, sender: 'a@open.test', message };
  assert.match(await target.deliver(spoof), /^451 4\.4\.3 .*open\.test, try again later/);
  assert.match(await target.trace('a@open.test'), /reject is at stake/);
  zone.set('open.test', { txt: [`v=spf1 ip4:${GOOD} -all`], ttl: 0 });
  assert.match(await target.deliver(spoof), /^550 5\.7\.1/);
  assert.match(await target.deliver({ ...spoof, ip: GOOD }), /^250/);
  assert.match(await one('left open'), /dmarc=pass/);
});

test('SPF fails but nobody asks for a refusal: accepted and marked', async () => {
  const message = letter(['From: a@none.test', 'Subject: only marked']);
  assert.match(await target.deliver({ ip: BAD, sender: 'b@tele.test', message }), /^250/);
  const text = await one('only marked');
  assert.match(text, /dmarc=fail/);
  assert.match(text, /spf=fail/);
});

test('macros with odd local parts are asked for', async () => {
  const message = letter(['From: ann+list@macro.test', 'Subject: macros']);
  assert.match(await target.deliver({ ip: GOOD, sender: 'ann+list@macro.test', message }), /^250/);
  assert.match(await one('macros'), /spf=pass/);
});

test('results that claim to be ours go, others stay, and both are told', async () => {
  const forged = [
    'Authentication-Results: mx.home.test; dkim=pass header.d=bank.test',
    'Authentication-Results: MX.Home.TEST (x) 1; dmarc=pass header.from=bank.test',
    'authentication-results: "mx.home.test"; spf=pass',
    'Authentication-Results: =?utf-8?q?mx=2Ehome=2Etest?=; dmarc=pass',
  ];
  const kept = 'Authentication-Results: mx.other.test; dkim=pass header.d=other.test';
  const head = [
    ...forged,
    kept,
    'From: a@none.test',
    'Message-ID: <f@none.test>',
    'Subject: forged',
  ];
  assert.match(
    await target.deliver({ ip: BAD, sender: 'a@none.test', message: letter(head) }),
    /^250/,
  );
  const results = fieldsOf(await one('forged')).filter((field) => /^auth/i.test(field));
  assert.equal(results.length, 2, results.join('\n'));
  assert.match(results[0] ?? '', /^Authentication-Results: mx\.home\.test;\r\n\tdmarc=fail/);
  assert.equal(results[1], kept);
  assert.match(await target.trace('f@none.test'), /forged results/);
  // From a user's own program it goes, too.
  const own = letter([forged[0] ?? '', `From: ben@${HOME}`, 'Subject: from a user']);
  assert.match(await target.submit('ben', `ann@${HOME}`, own), /^250/);
  assert.doesNotMatch(await one('from a user'), /Authentication-Results/);
});

test('nobody asks the DNS about mynetworks, users and loopback', async () => {
  const message = letter(['From: joe@good.test', 'Subject: trusted']);
  target.dns.queries.length = 0;
  for (const ip of ['10.9.8.7', '127.0.0.9', '::1']) {
    assert.match(await target.deliver({ ip, sender: 'joe@good.test', message }), /^250/, ip);
  }
  const own = letter([`From: ann@${HOME}`, 'Subject: own']);
  assert.match(await target.submit('ann', `ben@${HOME}`, own), /^250/);
  assert.deepEqual(target.dns.queries, []);
  assert.doesNotMatch(await one('trusted'), /Authentication-Results/);
  // The control: a stranger's mail does make questions.
  await target.deliver({ ip: BAD, sender: 'joe@fresh.test', message });
  assert.ok(target.dns.queries.length > 0);
});

test('what a trusted network sends elsewhere is signed, what stays here is not', async () => {
  assert.equal((await target.command('dkim', 'create', HOME, '--selector', 'k')).code, 0);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  for (const [recipient, isSigned] of [
    ['x@far.test', true],
    [`ann@${HOME}`, false],
  ] as const) {
    const id = `${isSigned}@printer`;
    const head = [`From: printer@${HOME}`, `Message-ID: <${id}>`, 'Subject: from a printer'];
    const from = { ip: '10.9.0.1', sender: `ben@${HOME}`, recipient };
    assert.match(await target.deliver({ ...from, message: letter(head) }), /^250/);
    assert.equal(/signed:\n? .*selector k/.test(await target.trace(id)), isSigned);
  }
  // A stranger's message is never signed, whoever it says it is from.
  const forged = letter([`From: ann@${HOME}`, 'Subject: not signed by us']);
  assert.match(await target.deliver({ ip: BAD, sender: 'x@none.test', message: forged }), /^250/);
  assert.doesNotMatch(await one('not signed by us'), /DKIM-Signature/);
});

test('reject_spf_fail at MAIL: refused before any content, with the record in the trace', async () => {
  const zone = { 'tele.test': { txt: ['v=spf1 -all'] } };
  const strict = await Target.start(zone, 'smtpd_sender_restrictions = ["reject_spf_fail"]');
  try {
    const message = letter(['From: a@tele.test']);
    const said = await strict.deliver({ ip: BAD, sender: 'a@tele.test', message });
    assert.match(said, /^550 5\.7\.23/);
    const story = await strict.trace('a@tele.test');
    assert.match(story, /rule: reject_spf_fail/);
    assert.match(story, /mechanism: -all/);
    assert.match(story, /v=spf1 -all/);
  } finally {
    await strict.stop();
  }
});

test('a message of hostile questions makes at most 60, and is answered', async () => {
  const includes = Array.from({ length: 9 }, (_, n) => `mx:m${n}.storm.test`).join(' ');
  target.dns.zone.set('storm.test', { txt: [`v=spf1 ${includes} -all`] });
  for (let n = 0; n < 9; n += 1) {
    const mx = Array.from({ length: 10 }, (_, k) => [k, `h${k}.m${n}.storm.test`] as const);
    target.dns.zone.set(`m${n}.storm.test`, { mx });
    for (let k = 0; k < 10; k += 1)
      target.dns.zone.set(`h${k}.m${n}.storm.test`, { a: ['10.1.1.1'] });
  }
  const names = Array.from({ length: 40 }, (_, n) => `k${n}`);
  target.dns.zone.set(BAD, { ptr: names.map((name) => `${name}.storm.test`) });
  const deep = 'a.b.c.d.e.f.g.h.i.storm.test';
  let message = letter([`From: a@${deep}`, 'Subject: storm', 'Message-ID: <storm@x.test>']);
  const one = testKey('rsa-sha256', 'storm.test', 'x');
  for (const selector of names) {
    message = signed(message, { ...one, selector }, { atMs: Date.now() });
  }
  target.dns.queries.length = 0;
  assert.match(await target.deliver({ ip: BAD, sender: 'a@storm.test', message }), /^250/);
  const asked = target.dns.queries.length;
  assert.ok(asked > 30 && asked <= 60, `${asked} questions`);
});

/** Signed by good.test at this moment. */
function now(message: string): string {
  return signed(message, key, { atMs: Date.now() });
}

/** The one message in ann's INBOX with that subject. */
async function one(subject: string): Promise<string> {
  const all = (await target.mailbox()).split(/(?:^|\r\n)\* \d+ FETCH [^\r\n]*\r\n/);
  const found = all.find((text) => text.includes(`Subject: ${subject}\r\n`));
  assert.ok(found, `${subject} is not there`);
  return found;
}

function fieldsOf(message: string): string[] {
  const [head = ''] = message.split('\r\n\r\n');
  return latin1(fromLatin1(head)).split(/\r\n(?![ \t])/);
}
