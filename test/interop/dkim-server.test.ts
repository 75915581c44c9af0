/** A running server against Debian's opendkim and python3-dkim: what it signs, verifies and seals. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Domain } from '#base/brand.ts';
import { lines } from '#trust/dkim/testing.ts';
import { waitFor } from '../world/postern.ts';
import { type Sink, startSink } from '../world/smtp-sink.ts';
import { HOME, Target, letter } from '../world/stranger.ts';
import { DkimPeers, withoutPythonDkim } from './dkim-peers.ts';
import { without } from './tools.ts';

const THEIRS = 'theirs.test' as Domain;
const BODY = lines('  blanks \t in  front, ', '', '.a dot', 'gr\xc3\xbc\xc3\x9fe', '', '');
const skip = without('opendkim') || withoutPythonDkim();

let peers: DkimPeers;
let target: Target;
let sink: Sink;

before(async () => {
  peers = await DkimPeers.create(THEIRS);
  sink = await startSink();
  const settings = `smtp_port = ${sink.port}\nsmtp_allow_loopback_mx = true`;
  target = await Target.start(
    { 'far.test': { mx: [[1, 'mx.far.test']] }, 'mx.far.test': { a: ['127.0.0.1'] } },
    settings,
  );
  for (const [name, record] of peers.records) publish(name, record);
  for (const words of ['--selector r', '--selector e --algorithm ed25519']) {
    const made = await target.command('dkim', 'create', HOME, ...words.split(' '), '--json');
    for (const { name, value } of JSON.parse(made.output)) publish(name, value);
  }
  const alias = await target.command('alias', 'add', `away@${HOME}`, 'x@far.test');
  assert.equal(alias.code, 0, alias.output);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
});

after(async () => {
  await target.stop();
  await sink.close();
  peers.remove();
});

test('what a user submits verifies elsewhere, with both keys', { skip }, async () => {
  const fields = [`From: Ann <ann@${HOME}>`, 'To: x@far.test', 'Subject: b\xc3\xbccher  and '];
  const said = await target.submit('ann', 'x@far.test', letter(fields, dotted(BODY)));
  assert.match(said, /^250/);
  const message = await sent('b\xc3\xbccher');
  assert.match(
    await peers.opendkimVerifies(message),
    /verification \(s=r,? d=home\.test.*succeeded/,
  );
  for (const index of [0, 1]) {
    const script = `print(dkim.DKIM(m).verify(idx=${index}, dnsfunc=dns))`;
    assert.equal(await peers.python(script, message), 'True');
  }
  const changed = message.replace('a dot', 'a bot');
  assert.equal(await peers.python('print(dkim.verify(m, dnsfunc=dns))', changed), 'False');
});

test('what opendkim signs arrives as dkim=pass', { skip }, async () => {
  for (const form of ['simple/simple', 'relaxed/relaxed']) {
    const subject = `opendkim ${form.replace('/', ' ')}`;
    const plain = letter(
      [`From: joe@${THEIRS}`, 'Date: Sat, 01 Jan 2022 00:00:00 +0000', `Subject: ${subject}`],
      BODY,
    );
    assert.match(await receive(await peers.signedByOpendkim(plain, form)), /^250/);
    const text = await arrived(subject);
    assert.match(text, /dkim=pass header\.d=theirs\.test\s+header\.s=rsa/, form);
  }
});

test('what python3-dkim signs and seals arrives as pass', { skip }, async () => {
  const plain = letter(
    [`From: joe@${THEIRS}`, 'Subject: python', 'Authentication-Results: mx.theirs.test; spf=none'],
    BODY,
  );
  const script = `
rsa = open('${peers.file('rsa.pem')}', 'rb').read()
m = dkim.sign(m, b'rsa', b'${THEIRS}', rsa) + m
m = b''.join(dkim.arc_sign(m, b'rsa', b'${THEIRS}', rsa, b'mx.theirs.test')) + m
sys.stdout.buffer.write(m)`;
  assert.match(await receive(await peers.python(script, plain)), /^250/);
  const text = await arrived('python');
  assert.match(text, /dkim=pass header\.d=theirs\.test/);
  assert.match(text, /arc=pass \(i=1, sealed by theirs\.test\)/);
});

test('what is forwarded carries a chain that python3-dkim follows', { skip }, async () => {
  const plain = letter([`From: joe@${THEIRS}`, 'Subject: passed on'], BODY);
  const message = await peers.signedByOpendkim(plain, 'relaxed/relaxed');
  assert.match(await receive(message, `away@${HOME}`), /^250/);
  const passed = await sent('passed on');
  assert.equal(
    await peers.python('print(dkim.arc_verify(m, dnsfunc=dns)[0].decode())', passed),
    'pass',
  );
  assert.equal(await peers.python('print(dkim.verify(m, dnsfunc=dns))', passed), 'True');
});

function publish(name: string, record: string): void {
  peers.publish(name, record);
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

function dotted(text: string): string {
  return text.replace(/^\./gm, '..');
}
