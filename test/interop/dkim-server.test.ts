/** A running server against Debian's opendkim and python3-dkim: what it signs, verifies and seals. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Domain } from '#base/brand.ts';
import { keyName, makeKey, readSigningKey } from '#trust/dkim/keys.ts';
import { lines } from '#trust/dkim/testing.ts';
import { waitFor } from '../world/postern.ts';
import { type Sink, startSink } from '../world/smtp-sink.ts';
import { HOME, Target, letter } from '../world/stranger.ts';
import { run, without } from './tools.ts';

const PYTHON = '/usr/bin/python3';
const THEIRS = 'theirs.test' as Domain;
const BODY = lines('  blanks \t in  front, ', '', '.a dot', 'gr\xc3\xbc\xc3\x9fe', '', '');
const modules = spawnSync(PYTHON, ['-c', 'import dkim, nacl, authres'], { stdio: 'ignore' });
const skip = without('opendkim') || (modules.status !== 0 && 'not installed: python3-dkim');

let folder = '';
let target: Target;
let sink: Sink;
const records: Record<string, string> = {};

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'postern-dkim-server-'));
  sink = await startSink();
  const settings = `smtp_port = ${sink.port}\nsmtp_allow_loopback_mx = true`;
  target = await Target.start(
    { 'far.test': { mx: [[1, 'mx.far.test']] }, 'mx.far.test': { a: ['127.0.0.1'] } },
    settings,
  );
  for (const algorithm of ['rsa-sha256', 'ed25519-sha256'] as const) {
    const { pem, record } = await makeKey(algorithm);
    const key = readSigningKey(pem, THEIRS, algorithm === 'rsa-sha256' ? 'rsa' : 'ed');
    publish(keyName(key), record);
    writeFileSync(file(`${key.selector}.pem`), pem, { mode: 0o600 });
  }
  for (const words of ['--selector r', '--selector e --algorithm ed25519']) {
    const made = await target.command('dkim', 'create', HOME, ...words.split(' '), '--json');
    for (const { name, value } of JSON.parse(made.output)) publish(name, value);
  }
  const alias = await target.command('alias', 'add', `away@${HOME}`, 'x@far.test');
  assert.equal(alias.code, 0, alias.output);
  const table = Object.entries(records).map(([name, record]) => `${name} ${record}\n`);
  writeFileSync(file('keys'), table.join(''));
  writeFileSync(file('verify.conf'), `TestPublicKeys ${file('keys')}\nMode v\n`);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
});

after(async () => {
  await target.stop();
  await sink.close();
  rmSync(folder, { recursive: true, force: true });
});

test('what a user submits verifies elsewhere, with both keys', { skip }, async () => {
  const fields = [`From: Ann <ann@${HOME}>`, 'To: x@far.test', 'Subject: b\xc3\xbccher  and '];
  const said = await target.submit('ann', 'x@far.test', letter(fields, dotted(BODY)));
  assert.match(said, /^250/);
  const message = await sent('b\xc3\xbccher');
  writeFileSync(file('message'), message, 'latin1');
  const args = ['-x', file('verify.conf'), '-t', file('message'), '-v', '-v'];
  const { output } = await run('opendkim', args);
  assert.match(output, /verification \(s=r,? d=home\.test.*succeeded/);
  for (const index of [0, 1]) {
    assert.equal(await python(`print(dkim.DKIM(m).verify(idx=${index}, dnsfunc=dns))`), 'True');
  }
  writeFileSync(file('message'), message.replace('a dot', 'a bot'), 'latin1');
  assert.equal(await python('print(dkim.verify(m, dnsfunc=dns))'), 'False');
});

test('what opendkim signs arrives as dkim=pass', { skip }, async () => {
  for (const form of ['simple/simple', 'relaxed/relaxed']) {
    const subject = `opendkim ${form.replace('/', ' ')}`;
    const plain = letter(
      [`From: joe@${THEIRS}`, 'Date: Sat, 01 Jan 2022 00:00:00 +0000', `Subject: ${subject}`],
      BODY,
    );
    assert.match(await receive(await signedByOpendkim(plain, form)), /^250/);
    const text = await arrived(subject);
    assert.match(text, /dkim=pass header\.d=theirs\.test\s+header\.s=rsa/, form);
  }
});

test('what python3-dkim signs and seals arrives as pass', { skip }, async () => {
  const plain = letter(
    [`From: joe@${THEIRS}`, 'Subject: python', 'Authentication-Results: mx.theirs.test; spf=none'],
    BODY,
  );
  writeFileSync(file('message'), plain, 'latin1');
  await python(`
ed = open('${file('ed.pem')}', 'rb').read()
rsa = open('${file('rsa.pem')}', 'rb').read()
m = dkim.sign(m, b'rsa', b'${THEIRS}', rsa) + m
m = b''.join(dkim.arc_sign(m, b'rsa', b'${THEIRS}', rsa, b'mx.theirs.test')) + m
open('${file('made')}', 'wb').write(m)`);
  assert.match(await receive(readFileSync(file('made'), 'latin1')), /^250/);
  const text = await arrived('python');
  assert.match(text, /dkim=pass header\.d=theirs\.test/);
  assert.match(text, /arc=pass \(i=1, sealed by theirs\.test\)/);
});

test('what is forwarded carries a chain that python3-dkim follows', { skip }, async () => {
  const plain = letter([`From: joe@${THEIRS}`, 'Subject: passed on'], BODY);
  const message = await signedByOpendkim(plain, 'relaxed/relaxed');
  assert.match(await receive(message, `away@${HOME}`), /^250/);
  writeFileSync(file('message'), await sent('passed on'), 'latin1');
  assert.equal(await python('print(dkim.arc_verify(m, dnsfunc=dns)[0].decode())'), 'pass');
  assert.equal(await python('print(dkim.verify(m, dnsfunc=dns))'), 'True');
});

function publish(name: string, record: string): void {
  records[name] = record;
  target.dns.zone.set(name, { txt: [record.match(/.{1,250}/g) ?? []] });
}

function receive(message: string, recipient = `ann@${HOME}`): Promise<string> {
  return target.deliver({ ip: '192.0.2.10', sender: `joe@${THEIRS}`, recipient, message });
}

async function arrived(subject: string): Promise<string> {
  const all = (await target.mailbox()).split(/(?:^|\r\n)\* \d+ FETCH [^\r\n]*\r\n/);
  return all.find((text) => text.includes(`Subject: ${subject}`)) ?? assert.fail(subject);
}

/** The octets that left, once they have. */
async function sent(subject: string): Promise<string> {
  const find = () => sink.messages.find(({ content }) => content.includes(`Subject: ${subject}`));
  assert.ok(await waitFor(() => find() !== undefined, 10_000), subject);
  return find()?.content ?? '';
}

async function signedByOpendkim(message: string, form: string): Promise<string> {
  writeFileSync(file('message'), message, 'latin1');
  const settings = `Domain ${THEIRS}\nSelector rsa\nKeyFile ${file('rsa.pem')}\nMode s\n`;
  const rest = `RequireSafeKeys no\nSignatureAlgorithm rsa-sha256\nCanonicalization ${form}\n`;
  writeFileSync(file('sign.conf'), settings + rest);
  const args = ['-x', file('sign.conf'), '-t', file('message'), '-v', '-v', '-v'];
  const { output } = await run('opendkim', args);
  const value = /hname='DKIM-Signature' hvalue='([^']*)'/.exec(output)?.[1];
  assert.ok(value !== undefined, output);
  return `DKIM-Signature: ${value.replace(/\r?\n/g, '\r\n')}\r\n${message}`;
}

/** Runs Python with the last message as `m`. */
async function python(script: string): Promise<string> {
  const known = JSON.stringify(records);
  writeFileSync(
    file('script.py'),
    `import dkim, sys
records = ${known}
dns = lambda name, timeout=5: records.get(name.decode().rstrip('.'), '').encode() or None
m = open('${file('message')}', 'rb').read()
${script}
`,
  );
  const { code, output } = await run(PYTHON, [file('script.py')]);
  assert.equal(code, 0, output);
  return output.trim();
}

function file(name: string): string {
  return path.join(folder, name);
}

function dotted(text: string): string {
  return text.replace(/^\./gm, '..');
}
