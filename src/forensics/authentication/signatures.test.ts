/** Tests of signatures verified again: never failed without a key, and why they broke. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, lines, signed, testKey } from '#trust/dkim/testing.ts';
import { type ZoneName, zoneResolver } from '#test/vectors/zone.ts';
import type { Examined } from '../examine.ts';
import { BOUNDARY, NOW_MS, type Trust, US, examined, message } from '../testing.ts';
import { type Answers, recordingResolver, replayResolver, silentResolver } from './dns.ts';
import { formatEvidence, parseEvidence } from './evidence.ts';

const KEY = testKey('ed25519-sha256', 'example.org', 's1');
const ZONE: Record<string, ZoneName> = { 's1._domainkey.example.org': { txt: [KEY.record] } };
const WITH_KEY: Trust = { ...US, resolver: zoneResolver(ZONE) };

const HEAD = lines(
  'From: Alice <alice@example.org>',
  'To: list@list.test',
  'Subject: Hello',
  'Date: Sun, 22 Nov 2026 09:00:00 +0000',
  'Message-ID: <1@example.org>',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: 8bit',
);
const BODY = lines('Gr\xc3\xbc\xc3\x9fe,', '', 'From here on it is a longer line.', '', 'Alice');
const AT = { atMs: NOW_MS };

function mail(body = BODY): string {
  return signed(`${HEAD}\r\n${body}`, KEY, AT);
}

/** The first of two parts. */
function part(text: string): string {
  return lines('--b', 'Content-Type: text/plain', '', text, '--b', 'Content-Type: text/html', '');
}

async function look(text: string, trust: Trust = WITH_KEY): Promise<Examined> {
  return examined(BOUNDARY + text, trust);
}

test('with the key a signature passes, and the author is proved', async () => {
  const one = await look(mail());
  assert.equal(one.authentication.signatures.dkim[0]?.status, 'pass');
  assert.deepEqual(one.conclusions.headline, {
    kind: 'authenticated',
    domain: 'example.org',
    grade: 'P',
  });
});

test('without the key it is unknown, never failed, even if the body was changed', async () => {
  for (const text of [mail(), mail().replace('Alice\r\n', 'Mallory\r\n')]) {
    const one = await look(text, US);
    const [signature] = one.authentication.signatures.dkim;
    assert.equal(signature?.status, 'unknown');
    assert.match(signature?.reason ?? '', /^key not available/);
    assert.equal(one.conclusions.headline.kind === 'authenticated', false);
  }
  const gone = await look(mail(), { ...US, resolver: zoneResolver({}) });
  assert.match(gone.authentication.signatures.dkim[0]?.reason ?? '', /none is published now/);
  assert.equal(gone.authentication.signatures.dkim[0]?.status, 'unknown');
  const revoked = { 's1._domainkey.example.org': { txt: ['v=DKIM1; k=ed25519; p='] } };
  const after = await look(mail(), { ...US, resolver: zoneResolver(revoked) });
  assert.equal(after.authentication.signatures.dkim[0]?.status, 'unknown');
  const late = await look(mail(), { ...US, headerOnly: true, resolver: zoneResolver(ZONE) });
  assert.equal(late.authentication.signatures.dkim[0]?.status, 'unknown');
});

test('lines that end in LF, as on disk, are read as CRLF', async () => {
  const one = await look(mail().replaceAll('\r\n', '\n').replace(/^/, ''), WITH_KEY);
  assert.ok(!one.specimen.unixLines, 'the boundary line is CRLF here');
  const whole = await examined((BOUNDARY + mail()).replaceAll('\r\n', '\n'), WITH_KEY);
  assert.ok(whole.specimen.unixLines);
  assert.equal(whole.authentication.signatures.dkim[0]?.status, 'pass');
});

async function repairOf(text: string, trust?: Trust) {
  const [signature] = (await look(text, trust)).authentication.signatures.dkim;
  assert.notEqual(signature?.status, 'pass');
  return signature?.repair;
}

test('a footer is found, at the end and before the last boundary', async () => {
  const footer = lines('_'.repeat(40), 'list mailing list', 'list@list.test');
  const repair = await repairOf(mail() + footer);
  assert.deepEqual([repair?.undone, repair?.proved], [['footer'], true]);
  assert.match(repair?.text ?? '', /a footer of 77 octets/);
  const parts = lines('--b', 'Content-Type: text/plain', '', 'Hi.', '--b--');
  const changed = mail(parts).replace('Hi.\r\n', `Hi.\r\n${footer}`);
  assert.deepEqual((await repairOf(changed))?.undone, ['footer']);
});

test('a list tag in Subject is found, alone and with a footer', async () => {
  const tagged = mail().replace('Subject: Hello', 'Subject: [list] Hello');
  const repair = await repairOf(tagged);
  assert.deepEqual([repair?.undone, repair?.proved], [['list tag'], true]);
  const both = await repairOf(`${tagged}-- \r\nlist\r\n`);
  assert.deepEqual([both?.undone, both?.proved], [['footer', 'list tag'], true]);
});

test('8-bit text that was re-encoded is found', async () => {
  const encoded = BODY.replaceAll('\xc3', '=C3')
    .replaceAll('\xbc', '=BC')
    .replaceAll('\x9f', '=9F');
  const changed = mail().replace(BODY, encoded).replace(': 8bit', ': quoted-printable');
  const repair = await repairOf(changed);
  assert.deepEqual(repair?.undone, ['quoted-printable']);
  const base64 = Buffer.from(BODY, 'latin1').toString('base64');
  const other = mail().replace(BODY, `${base64}\r\n`).replace(': 8bit', ': base64');
  assert.deepEqual((await repairOf(other))?.undone.includes('base64'), true);
});

test('a line quoted for an mbox is found', async () => {
  const repair = await repairOf(mail().replace('\r\nFrom here', '\r\n>From here'));
  assert.deepEqual([repair?.undone, repair?.proved], [['mbox quotes'], true]);
});

test('without the key the body’s repair is still found, and not called proved', async () => {
  const repair = await repairOf(`${mail()}-- \r\nlist\r\n`, US);
  assert.deepEqual([repair?.undone, repair?.proved], [['footer'], false]);
});

test('white space that c=simple does not survive is found', async () => {
  const clean = lines('Hi.', 'Bye.');
  const hash = digestOf(clean, { canon: 'simple', lengthBytes: undefined });
  const field = `DKIM-Signature: v=1; a=ed25519-sha256; c=simple/simple; d=example.org; s=s1; h=from; bh=${hash}; b=AAAA\r\n`;
  const head = field + HEAD;
  const repair = await repairOf(`${head}\r\n${lines('Hi.  ', 'Bye.')}`);
  assert.deepEqual([repair?.undone, repair?.proved], [['white space'], false]);
  assert.equal(await repairOf(`${head}\r\n${lines('Ho.', 'Bye.')}`), undefined);
});

test('a warning on top is found, and a footer in the text of several parts', async () => {
  const warning = lines('CAUTION: this came from outside.', '');
  const top = await repairOf(mail().replace(BODY, warning + BODY));
  assert.deepEqual([top?.undone, top?.proved], [['banner'], true]);
  const html = lines('<p>Hi.</p>', '--b--');
  const type = { 'Content-Type': 'multipart/alternative; boundary=b' };
  const plain = message(type, { boundary: '', body: part('Hi.') + html });
  const changed = signed(plain, KEY, { atMs: NOW_MS }).replace(
    'Hi.\r\n--b',
    'Hi.\r\n____\r\nfooter\r\n--b',
  );
  assert.deepEqual((await repairOf(changed))?.undone, ['footer']);
  const above = signed(plain, KEY, { atMs: NOW_MS }).replace('Hi.', `${warning}Hi.`);
  assert.deepEqual((await repairOf(above))?.undone, ['banner']);
  // Words in the middle are no warning.
  assert.equal(await repairOf(changed.replace('<p>Hi.', '<p>Pay.')), undefined);
});

test('dots that were doubled or lost, text that became UTF-8, and other tags are found', async () => {
  const dots = lines('Hi.', '.profile', '..');
  assert.deepEqual(
    (await repairOf(mail(dots).replace(dots, lines('Hi.', '..profile', '...'))))?.undone,
    ['dots'],
  );
  const lost = lines('Hi.', '..profile');
  assert.deepEqual((await repairOf(mail(lost).replace('..profile', '.profile')))?.undone, ['dots']);
  const type = { 'Content-Type': 'text/plain; charset=iso-8859-1' };
  const latin = signed(message(type, { boundary: '', body: 'Gr\xfc\xdfe\r\n' }), KEY, {
    atMs: NOW_MS,
  });
  const utf8 = latin.replace('iso-8859-1', 'utf-8').replace('\xfc\xdf', '\xc3\xbc\xc3\x9f');
  const recoded = await repairOf(utf8);
  assert.deepEqual([recoded?.undone, recoded?.proved], [['charset'], true]);
  for (const tag of ['***SPAM*** ', 'EXTERNAL: ', '{Spam?} ', '[EXT] ']) {
    const tagged = mail().replace('Subject: Hello', `Subject: ${tag}Hello`);
    assert.deepEqual((await repairOf(tagged))?.undone, ['list tag'], tag);
  }
});

test('what a host of ours found whole was changed after it: weak, and no contradiction', async () => {
  const text = mail().replace('Alice\r\n', 'Mallory\r\n');
  const top = 'Authentication-Results: mx.us.test; dkim=pass header.d=example.org\r\n';
  const one = await examined(top + BOUNDARY + text, WITH_KEY);
  assert.equal(one.conclusions.headline.kind, 'authenticated');
  const found = one.conclusions.findings.find(({ sign }) => sign.id === 'body-changed');
  assert.equal(found?.strength, 'weak');
  assert.match(found?.seen.text ?? '', /changed after this: dkim=pass for example\.org/);
  // By the address alone nothing is known about the body.
  const spf = top.replace('dkim=pass header.d', 'dmarc=pass header.from');
  const other = await examined(spf + BOUNDARY + text, WITH_KEY);
  assert.equal(other.conclusions.headline.kind, 'contradicts itself');
});

test('what nothing explains is not explained: the author’s words were changed', async () => {
  const one = await look(mail().replace('Alice\r\n', 'Mallory\r\n'));
  const [signature] = one.authentication.signatures.dkim;
  assert.deepEqual([signature?.status, signature?.repair], ['fail', undefined]);
  assert.equal(one.conclusions.headline.kind, 'contradicts itself');
});

test('an evidence bundle gives the same verdict again when the DNS has forgotten', async () => {
  const answers: Answers = new Map();
  const live = recordingResolver(zoneResolver(ZONE), answers);
  const then = await look(mail(), { ...US, resolver: live });
  const { sha256, sizeBytes, name } = then.specimen;
  const bundle = formatEvidence({
    version: '1',
    madeAtMs: NOW_MS,
    anchors: ['mx mx.us.test'],
    messages: [{ name, sha256, sizeBytes }],
    answers,
  });
  const read = parseEvidence(bundle);
  assert.deepEqual(read.answers, answers);
  assert.equal(read.messages[0]?.sha256, sha256);
  const resolver = replayResolver(read.answers, silentResolver());
  const now = await look(mail(), { ...US, resolver });
  assert.deepEqual(now.conclusions.headline, then.conclusions.headline);
  for (const bad of [
    '',
    '{}',
    '[]',
    '{"schema":"postern-evidence/1"}',
    bundle.replace('/1', '/9'),
  ]) {
    assert.throws(() => parseEvidence(bad), { name: 'Failure' });
  }
});

test('names in evidence that objects are born with are names like others', () => {
  const text = formatEvidence({
    version: '1',
    madeAtMs: NOW_MS,
    anchors: [],
    messages: [],
    answers: new Map(),
  }).replace('"dns": {}', '"dns": {"__proto__": {"kind": "failed", "reason": "x"}}');
  assert.ok(parseEvidence(text).answers.has('__proto__'));
});
