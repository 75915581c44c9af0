/** DKIM and ARC both ways with Debian's opendkim and python3-dkim: they check ours, we check theirs. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Domain } from '#base/brand.ts';
import { fromLatin1 } from '#base/bytes.ts';
import { splitMessage } from '#message/edit.ts';
import { sealMessage } from '#trust/arc/seal.ts';
import { SignatureVerification } from '#trust/arc/verification.ts';
import { hashBody } from '#trust/dkim/body.ts';
import { SignedHead } from '#trust/dkim/header.ts';
import { keyName, makeKey, readSigningKey } from '#trust/dkim/keys.ts';
import { SIGNING_WANT, type SigningKey } from '#trust/dkim/sign.ts';
import { keySource, lines, signed } from '#trust/dkim/testing.ts';
import { run, without } from './tools.ts';

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
/** Debian's python3-dkim, not the python that happens to come first in PATH. */
const PYTHON = '/usr/bin/python3';
const FORMS = ['simple/simple', 'simple/relaxed', 'relaxed/simple', 'relaxed/relaxed'];
const noPython = withoutModules();

let folder = '';
let rsa: SigningKey;
let ed: SigningKey;
const records: Record<string, string> = {};

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'postern-dkim-'));
  for (const algorithm of ['rsa-sha256', 'ed25519-sha256'] as const) {
    const { pem, record } = await makeKey(algorithm);
    const key = readSigningKey(pem, DOMAIN, algorithm === 'rsa-sha256' ? 'rsa' : 'ed');
    records[keyName(key)] = record;
    if (algorithm === 'rsa-sha256') rsa = key;
    else ed = key;
    writeFileSync(file(`${key.selector}.pem`), pem, { mode: 0o600 });
  }
  const table = Object.entries(records).map(([name, record]) => `${name} ${record}\n`);
  writeFileSync(file('keys'), table.join(''));
  writeFileSync(file('opendkim.conf'), `TestPublicKeys ${file('keys')}\nMode v\n`);
});

after(() => rmSync(folder, { recursive: true, force: true }));

test('opendkim verifies what we sign', { skip: without('opendkim') }, async () => {
  for (const [name, message] of MESSAGES) {
    const good = await opendkimVerifies(ours(message));
    assert.match(good, /verification \(s=rsa,? d=signer\.test.*succeeded/, name);
  }
  const bad = await opendkimVerifies(ours(MESSAGES[0]![1]).replace('Hello', 'Hallo'));
  assert.doesNotMatch(bad, /succeeded/);
});

test('we verify what opendkim signs, in every form', { skip: without('opendkim') }, async () => {
  for (const [name, message] of MESSAGES) {
    for (const form of FORMS) {
      const whole = await signedByOpendkim(message, form);
      assert.deepEqual(await weSay(whole), ['pass'], `${name}, ${form}`);
    }
  }
});

test('python3-dkim verifies what we sign, with both algorithms', { skip: noPython }, async () => {
  for (const [name, message] of MESSAGES) {
    for (const key of [rsa, ed]) {
      assert.equal(
        await python(`print(dkim.verify(m, dnsfunc=dns))`, ours(message, key)),
        'True',
        name,
      );
    }
  }
  const bad = ours(MESSAGES[0]![1]).replace('Hello', 'Hallo');
  assert.equal(await python(`print(dkim.verify(m, dnsfunc=dns))`, bad), 'False');
});

test('we verify what python3-dkim signs, in every form', { skip: noPython }, async () => {
  for (const [name, message] of MESSAGES) {
    const script = `key = open('${file('rsa.pem')}', 'rb').read()
for form in ${JSON.stringify(FORMS)}:
    m = dkim.sign(m, b'rsa', b'signer.test', key, canonicalize=form.encode().split(b'/')) + m
sys.stdout.buffer.write(m)`;
    // Each signature leaves those before it as they are.
    assert.deepEqual(await weSay(await python(script, message)), Array(4).fill('pass'), name);
  }
});

test('python3-dkim accepts our chains, and we its', { skip: noPython }, async () => {
  const message = `Authentication-Results: mx.signer.test; spf=none\r\n${MESSAGES[0]![1]}`;
  const once = await sealedByUs(message);
  const twice = await sealedByUs(once);
  for (const whole of [once, twice]) {
    assert.equal(await python(`print(dkim.arc_verify(m, dnsfunc=dns)[0].decode())`, whole), 'pass');
  }
  const script = `key = open('${file('rsa.pem')}','rb').read()
s = dkim.arc_sign(m, b'rsa', b'signer.test', key, b'mx.signer.test')
sys.stdout.buffer.write(b''.join(s) + m)`;
  const theirs = await python(script, message);
  assert.match(theirs, /^ARC-Seal/);
  assert.equal((await weVerify(theirs)).arc.status, 'pass');
  const mixed = await sealedByUs(theirs);
  assert.equal((await weVerify(mixed)).arc.status, 'pass');
  assert.equal(await python(`print(dkim.arc_verify(m, dnsfunc=dns)[0].decode())`, mixed), 'pass');
});

function head(...more: string[]): string {
  const subject = more.some((line) => line.startsWith('Subject')) ? [] : ['Subject: Hi  there '];
  const date = 'Date: Sat, 01 Jan 2022 00:00:00 +0000';
  return lines('From: Joe <joe@signer.test>', 'To: a@b.test', ...subject, date, ...more);
}

function file(name: string): string {
  return path.join(folder, name);
}

function ours(message: string, key = rsa): string {
  return signed(message, key, { atMs: Date.now() });
}

async function opendkimVerifies(message: string): Promise<string> {
  writeFileSync(file('message'), message, 'latin1');
  const args = ['-x', file('opendkim.conf'), '-t', file('message'), '-v', '-v'];
  return (await run('opendkim', args)).output;
}

/** Its test mode prints the field it would put in. */
async function signedByOpendkim(message: string, form: string): Promise<string> {
  writeFileSync(file('message'), message, 'latin1');
  const settings = `Domain ${DOMAIN}\nSelector rsa\nKeyFile ${file('rsa.pem')}\nMode s\n`;
  const rest = `RequireSafeKeys no\nSignatureAlgorithm rsa-sha256\nCanonicalization ${form}\n`;
  writeFileSync(file('sign.conf'), settings + rest);
  const args = ['-x', file('sign.conf'), '-t', file('message'), '-v', '-v', '-v'];
  const { output } = await run('opendkim', args);
  const value = /hname='DKIM-Signature' hvalue='([^']*)'/.exec(output)?.[1];
  assert.ok(value !== undefined, output);
  return `DKIM-Signature: ${value.replace(/\r?\n/g, '\r\n')}\r\n${message}`;
}

/** Runs Python with the message as `m`, octets as latin1 both ways. */
async function python(script: string, message: string): Promise<string> {
  writeFileSync(file('message'), message, 'latin1');
  writeFileSync(
    file('script.py'),
    `import dkim, sys
records = ${JSON.stringify(records)}
dns = lambda name, timeout=5: records.get(name.decode().rstrip('.'), '').encode() or None
m = open('${file('message')}', 'rb').read()
${script}
`,
  );
  const { code, output } = await run('sh', [
    '-c',
    `${PYTHON} ${file('script.py')} >${file('out')}`,
  ]);
  assert.equal(code, 0, output);
  const text = readFileSync(file('out'), 'latin1');
  return text.startsWith('ARC-') || text.startsWith('DKIM-') ? text : text.trim();
}

async function weVerify(message: string) {
  const { head, body } = splitMessage(fromLatin1(message));
  const zone = Object.fromEntries(Object.entries(records).map(([name, text]) => [name, [text]]));
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
  const set = sealMessage(new SignedHead(head), digests, arc, results, rsa, options);
  return (set ?? []).join('') + message;
}

function withoutModules(): string | false {
  const found = spawnSync(PYTHON, ['-c', 'import dkim, nacl, authres'], { stdio: 'ignore' });
  return found.status === 0 ? false : 'not installed: python3-dkim, python3-nacl, python3-authres';
}
