/** DKIM and ARC both ways with Debian's opendkim and python3-dkim: they check ours, we check theirs. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Domain } from '#base/brand.ts';
import { fromLatin1 } from '#base/bytes.ts';
import { splitMessage } from '#message/edit.ts';
import { sealMessage } from '#trust/arc/seal.ts';
import { SignatureVerification } from '#trust/arc/verification.ts';
import { hashBody } from '#trust/dkim/body.ts';
import { SignedHead } from '#trust/dkim/header.ts';
import { SIGNING_WANT } from '#trust/dkim/sign.ts';
import { keySource, lines, signed } from '#trust/dkim/testing.ts';
import { DkimPeers, withoutPythonDkim } from './dkim-peers.ts';
import { without } from './tools.ts';

const DOMAIN = 'signer.test' as Domain;
const MESSAGES: readonly (readonly [name: string, message: string])[] = [
  ['plain', `${head()}\r\n${lines('Hello.', '', 'Bye.')}`],
  ['empty body', `${head()}\r\n`],
  ['trailing lines', `${head()}\r\n${lines('Hello.  ', '', ' ', '', '')}`],
  ['blanks', `${head('X-A:  a  \t b ')}\r\n${lines('  a \t b  ', '\t', ' c')}`],
  ['folds', `${head('References: <a@b>', '\t<c@d>', ' <e@f>')}\r\n${lines('x')}`],
  ['8-bit', `${head('Subject: b\xc3\xbccher')}\r\n${lines('gr\xc3\xbc\xc3\x9fe')}`],
  ['long line', `${head()}\r\n${lines('x'.repeat(990))}`],
];
const FORMS = ['simple/simple', 'simple/relaxed', 'relaxed/simple', 'relaxed/relaxed'];
const noPython = withoutPythonDkim();

let peers: DkimPeers;

before(async () => {
  peers = await DkimPeers.create(DOMAIN);
});

after(() => peers.remove());

test('opendkim verifies what we sign', { skip: without('opendkim') }, async () => {
  for (const [name, message] of MESSAGES) {
    const good = await peers.opendkimVerifies(ours(message));
    assert.match(good, /verification \(s=rsa,? d=signer\.test.*succeeded/, name);
  }
  const bad = await peers.opendkimVerifies(ours(MESSAGES[0]![1]).replace('Hello', 'Hallo'));
  assert.doesNotMatch(bad, /succeeded/);
});

test('we verify what opendkim signs, in every form', { skip: without('opendkim') }, async () => {
  for (const [name, message] of MESSAGES) {
    for (const form of FORMS) {
      const whole = await peers.signedByOpendkim(message, form);
      assert.deepEqual(await weSay(whole), ['pass'], `${name}, ${form}`);
    }
  }
});

test('python3-dkim verifies what we sign, with both algorithms', { skip: noPython }, async () => {
  for (const [name, message] of MESSAGES) {
    for (const key of [peers.rsa, peers.ed]) {
      assert.equal(
        await peers.python(`print(dkim.verify(m, dnsfunc=dns))`, ours(message, key)),
        'True',
        name,
      );
    }
  }
  const bad = ours(MESSAGES[0]![1]).replace('Hello', 'Hallo');
  assert.equal(await peers.python(`print(dkim.verify(m, dnsfunc=dns))`, bad), 'False');
});

test('we verify what python3-dkim signs, in every form', { skip: noPython }, async () => {
  for (const [name, message] of MESSAGES) {
    const script = `key = open('${peers.file('rsa.pem')}', 'rb').read()
for form in ${JSON.stringify(FORMS)}:
    m = dkim.sign(m, b'rsa', b'signer.test', key, canonicalize=form.encode().split(b'/')) + m
sys.stdout.buffer.write(m)`;
    // Each signature leaves those before it as they are.
    assert.deepEqual(await weSay(await peers.python(script, message)), Array(4).fill('pass'), name);
  }
});

test('python3-dkim accepts our chains, and we its', { skip: noPython }, async () => {
  const message = `Authentication-Results: mx.signer.test; spf=none\r\n${MESSAGES[0]![1]}`;
  const once = await sealedByUs(message);
  const twice = await sealedByUs(once);
  for (const whole of [once, twice]) {
    assert.equal(
      await peers.python(`print(dkim.arc_verify(m, dnsfunc=dns)[0].decode())`, whole),
      'pass',
    );
  }
  const script = `key = open('${peers.file('rsa.pem')}','rb').read()
s = dkim.arc_sign(m, b'rsa', b'signer.test', key, b'mx.signer.test')
sys.stdout.buffer.write(b''.join(s) + m)`;
  const theirs = await peers.python(script, message);
  assert.match(theirs, /^ARC-Seal/);
  assert.equal((await weVerify(theirs)).arc.status, 'pass');
  const mixed = await sealedByUs(theirs);
  assert.equal((await weVerify(mixed)).arc.status, 'pass');
  assert.equal(
    await peers.python(`print(dkim.arc_verify(m, dnsfunc=dns)[0].decode())`, mixed),
    'pass',
  );
});

function head(...more: string[]): string {
  const subject = more.some((line) => line.startsWith('Subject')) ? [] : ['Subject: Hi  there '];
  const date = 'Date: Sat, 01 Jan 2022 00:00:00 +0000';
  return lines('From: Joe <joe@signer.test>', 'To: a@b.test', ...subject, date, ...more);
}

function ours(message: string, key = peers.rsa): string {
  return signed(message, key, { atMs: Date.now() });
}

async function weVerify(message: string) {
  const { head, body } = splitMessage(fromLatin1(message));
  const zone = Object.fromEntries([...peers.records].map(([name, text]) => [name, [text]]));
  const verification = new SignatureVerification(head, keySource(zone));
  verification.write(body);
  return verification.finish(Date.now());
}

async function weSay(message: string): Promise<string[]> {
  const { dkim } = await weVerify(message);
  return dkim.results.map(({ status, reason }) => (status === 'pass' ? status : reason));
}

async function sealedByUs(message: string): Promise<string> {
  const { head, body } = splitMessage(fromLatin1(message));
  const { arc } = await weVerify(message);
  const digests = hashBody(body, [SIGNING_WANT]);
  const options = { atMs: Date.now() };
  const results = `mx.signer.test; spf=none; arc=${arc.status}`;
  const set = sealMessage(new SignedHead(head), digests, arc, results, peers.rsa, options);
  return (set ?? []).join('') + message;
}
