/** Tests of `postern headers`: what it takes, what it prints, and that nothing fools the terminal. */

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { message } from '#forensics/testing.ts';
import { EXIT } from '../exit.ts';
import { inFolder, run } from '../testing.ts';
import { sourcesOf } from './sources.ts';

const MAIL = message();
const TRUST = ['--trusted-mx', 'mx.us.test', '--authserv-id', 'mx.us.test'];
const FROM = 'From alice@example.org Sun Nov 22 10:00:00 2026\n';

test('one message from a file and from standard input gives the same report', async () => {
  await inFolder(async (folder) => {
    const file = join(folder, 'a.eml');
    writeFileSync(file, MAIL);
    const one = await run(['headers', ...TRUST, file]);
    assert.equal(one.status, 0, one.err);
    assert.match(one.out, /trust ends here: everything below is a claim/);
    assert.match(one.out, /Who handed it to us\? {5}192\.0\.2\.1, named mail\.example\.org/);
    assert.match(one.out, /Authenticated is not trustworthy/);
    const piped = await run(['headers', ...TRUST, '-'], { input: MAIL });
    assert.equal(piped.out.replaceAll(/^-/gm, file), one.out);
    const bare = await run(['headers', file]);
    assert.match(bare.out, /cannot be determined \(no trust anchor given: everything is a claim\)/);
  });
});

test('an mbox, a Maildir with folders, and many files: a line each, or a JSON object each', async () => {
  await inFolder(async (folder) => {
    const mbox = join(folder, 'all.mbox');
    const unix = MAIL.replaceAll('\r\n', '\n');
    writeFileSync(mbox, `${FROM}${unix}\n${FROM}${unix}\n`);
    const maildir = join(folder, 'Maildir');
    for (const part of ['cur', 'new', 'tmp', '.Sent/cur', '.Sent/new', '.Sent/tmp']) {
      mkdirSync(join(maildir, part), { recursive: true });
      if (!part.endsWith('tmp')) writeFileSync(join(maildir, part, 'x:2,S'), unix);
    }
    writeFileSync(join(maildir, 'dovecot-uidlist'), 'x');
    writeFileSync(join(maildir, 'tmp', 'half'), 'x');
    const { out, status } = await run(['headers', ...TRUST, mbox, maildir]);
    assert.equal(status, 0);
    assert.equal(out.trim().split('\n').length, 6, out);
    assert.match(out, /all\.mbox:2/);
    const json = await run(['headers', '--json', ...TRUST, mbox, maildir]);
    const reports = json.out
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    assert.equal(reports.length, 6);
    const [first] = reports as { schema: string; hops: { zone: string }[] }[];
    assert.equal(first?.schema, 'postern-headers/1');
    assert.equal(first?.hops[0]?.zone, 'boundary');
  });
});

test('HTML and an evidence bundle are written, and the bundle is read back', async () => {
  await inFolder(async (folder) => {
    const [mail, page, bundle] = ['a.eml', 'a.html', 'a.json'].map((name) => join(folder, name));
    if (mail === undefined || page === undefined || bundle === undefined) throw new Error('names');
    writeFileSync(mail, MAIL);
    await run(['headers', ...TRUST, '--html', page, '--save-evidence', bundle, mail]);
    const html = readFileSync(page, 'utf8');
    assert.match(html, /^<!doctype html>/);
    assert.ok(!/<script|https?:/.test(html) && html.trimEnd().endsWith('</html>'));
    const evidence = readFileSync(bundle, 'utf8');
    assert.match(evidence, /"sha256": "[0-9a-f]{64}"/);
    const again = await run(['headers', ...TRUST, '--evidence', bundle, mail]);
    assert.deepEqual([again.status, again.err], [0, '']);
    assert.match(again.out, /SPF {4}unknown: .*not in the evidence|SPF {4}unknown/);
    writeFileSync(mail, `${MAIL}x`);
    const other = await run(['headers', ...TRUST, '--evidence', bundle, mail]);
    assert.match(other.err, /not in the evidence: other octets/);
    writeFileSync(bundle, '{}');
    const bad = await run(['headers', '--evidence', bundle, mail]);
    assert.ok(bad.status !== 0 && /evidence cannot be used/.test(bad.err), bad.err);
  });
});

test('escape codes in names, fields and file names do not reach the terminal', async () => {
  await inFolder(async (folder) => {
    const evil = '\x1b[2J\x9b31m\u202e\x07';
    const file = join(folder, `e${evil}.eml`);
    const raw = Buffer.from(evil).toString('latin1');
    const fields = { From: `"${raw}" <a@b.test>`, Subject: raw, Date: raw, 'Message-ID': raw };
    const hop = `Received: from ${raw} (${raw} [192.0.2.9]) by ${raw} with ${raw}; ${raw}\r\n`;
    const text = message({ ...fields, 'Reply-To': `${raw}@x.test` }, { top: hop });
    writeFileSync(file, Buffer.from(text, 'latin1'));
    for (const more of [[], ['--json'], ['--all'], TRUST]) {
      const { out, err } = await run(['headers', ...more, file, file]);
      assert.ok(!/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/.test(out + err), more.join(' '));
      assert.ok(out.length > 100);
    }
  });
});

test('progress is shown where somebody watches, and never in the output', async () => {
  await inFolder(async (folder) => {
    const mbox = join(folder, 'all.mbox');
    writeFileSync(mbox, `${FROM}${MAIL}\n`.repeat(2_000));
    const options = { io: { terminal: true } };
    const { status, out, err } = await run(['headers', '--header-only', mbox], options);
    assert.equal(status, 0);
    assert.match(err, /\[#*\.*\] \d+ % \d+ messages, \d+\/s/);
    assert.ok(!out.includes('\r') && out.trim().split('\n').length === 2_000);
  });
});

test('mistakes are told in a line: no file, no network, no form, an empty folder', async () => {
  await inFolder(async (folder) => {
    const cases = [
      ['headers', join(folder, 'none.eml')],
      ['headers', '--trusted-net', 'x', folder],
      ['headers', '--trusted-mx', 'a b/c', folder],
      ['headers', '--mbox', 'z', folder],
      ['headers', folder],
    ];
    for (const words of cases) {
      const { status, err, out } = await run(words);
      assert.ok(status !== 0 && err.startsWith('postern:') && out === '', words.join(' '));
    }
  });
});

test('standard input of any size passes through in pieces', async () => {
  const [source] = sourcesOf(['-'], {
    write: () => undefined,
    warn: () => undefined,
    readAll: () => Promise.reject(new Error('never all at once')),
    pieces: async function* () {
      yield Buffer.from('a');
      yield Buffer.from('b');
    },
    askSecret: () => Promise.resolve(undefined),
    env: {},
    terminal: false,
    colour: false,
  });
  const pieces: Uint8Array[] = [];
  for await (const piece of source?.pieces() ?? []) pieces.push(piece);
  assert.equal(Buffer.concat(pieces).toString(), 'ab');
});

const UNREADABLE = '/proc/self/mem';

test(
  'of many files one that cannot be read is told, the others are read, the status says it',
  { skip: !existsSync(UNREADABLE) },
  async () => {
    await inFolder(async (folder) => {
      const files = ['a', 'c'].map((name) => join(folder, name));
      for (const file of files) writeFileSync(file, MAIL);
      const { status, out, err } = await run(['headers', ...files, UNREADABLE, ...files]);
      assert.equal(out.trim().split('\n').length, 4, out);
      assert.match(err, /^postern: \/proc\/self\/mem: .+\n$/);
      assert.equal(status, EXIT.io);
      const alone = await run(['headers', UNREADABLE]);
      assert.deepEqual([alone.out, alone.err, alone.status], ['', err, EXIT.io]);
    });
  },
);

test('a file that is packed, or no text of mail, is told and passed over', async () => {
  await inFolder(async (folder) => {
    const kinds: Readonly<Record<string, Uint8Array>> = {
      gzip: gzipSync(MAIL),
      'UTF-16': Buffer.from(`\ufeff${MAIL}`, 'utf16le'),
      zip: Buffer.from('PK\x03\x04xxxx'),
      Outlook: Buffer.from('d0cf11e0a1b11ae1', 'hex'),
    };
    for (const [kind, octets] of Object.entries(kinds)) {
      writeFileSync(join(folder, `${kind}.eml`), octets);
      const one = await run(['headers', join(folder, `${kind}.eml`)]);
      assert.equal(one.status, EXIT.data, one.out);
      assert.match(one.err, new RegExp(`${kind}.*no message.*Unpack it`, 's'));
    }
    writeFileSync(join(folder, 'plain.eml'), MAIL);
    const all = await run(['headers', ...TRUST, folder]);
    assert.equal(all.out.trim().split('\n').length, 1, all.out);
    assert.equal(all.status, EXIT.data);
    assert.equal(all.err.match(/no message/g)?.length, 4);
  });
});

test('the next message waits until the report of the last one was taken', async () => {
  await inFolder(async (folder) => {
    const mbox = join(folder, 'all.mbox');
    writeFileSync(mbox, `${FROM}${MAIL.replaceAll('\r\n', '\n')}\n`.repeat(20));
    let lines = 0;
    let most = 0;
    const io = {
      write: () => void (most = Math.max(most, ++lines)),
      // Whoever reads takes one report after the other.
      taken: async () => void (lines = 0),
    };
    assert.equal((await run(['headers', '--json', mbox], { io })).status, 0);
    assert.equal(most, 2, 'the first is held until it is known whether there are many');
  });
});
