/** Hostile messages on their whole way: submitted, kept, then read by IMAP and POP3 in every form. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { run, without } from '../interop/tools.ts';
import { WholeServer } from '../world/whole-server.ts';

let server: WholeServer;

before(async () => {
  server = await WholeServer.start({ users: ['ann', 'ben', 'cleo'] });
});

after(async () => {
  await server.isAlive();
  await server.stop();
});

const DEPTH = 1_000;

/** Messages as octets in latin1; each has a body that ends in `the end`. */
const SHAPES: readonly (readonly [string, () => string])[] = [
  ['1,000 nested multiparts', () => nested(DEPTH)],
  ['1,000 nested messages', () => `${'Content-Type: message/rfc822\r\n\r\n'.repeat(DEPTH)}the end`],
  ['10,000 parts', () => parts(10_000)],
  ['9,000 header fields', () => `${'X: y\r\n'.repeat(9_000)}\r\nthe end`],
  ['100,000 header fields', () => `${'X: y\r\n'.repeat(100_000)}\r\nthe end`],
  [
    '20,000 addresses, a head too large',
    () => `To: ${'a@b.example, '.repeat(20_000)}c@d.example\r\n\r\nthe end`,
  ],
  ['a head full of addresses', () => `To: ${'a@b.cc, '.repeat(32_000)}c@d.example\r\n\r\nthe end`],
  ['a head full of @', () => `To: ${'a@'.repeat(120_000)}b\r\n\r\nthe end`],
  ['non-ASCII names', () => `To: ${'\xc3\xa4\xc3\xa4 <a@b>, '.repeat(18_000)}\r\n\r\nthe end`],
  ['a non-ASCII Subject', () => `Subject: ${'\xc3\xa4'.repeat(120_000)}\r\n\r\nthe end`],
  ['a Subject of no charset', () => `Subject: ${'\xff'.repeat(250_000)}\r\n\r\nthe end`],
  ['a non-ASCII file name', () => `Content-Type: text/plain; name="${umlauts()}"\r\n\r\nthe end`],
  ['a non-ASCII description', () => `Content-Description: ${umlauts()}\r\n\r\nthe end`],
  ['folded lines', () => `X: a${'\r\n a'.repeat(60_000)}\r\n\r\nthe end`],
  [
    'changing charsets',
    () => `Subject: ${'=?utf-8?q?a?= =?koi8-r?q?a?= '.repeat(8_000)}\r\n\r\nthe end`,
  ],
  [
    '10,000 described parts',
    () => parts(10_000, `Content-Disposition: attachment; filename=x\r\n`),
  ],
  ['a head of 8 MB in a message inside', () => inside('X: y\r\n'.repeat(1_400_000))],
  ['quotes without end', () => `To: ${'"'.repeat(100_000)}\r\n\r\nthe end`],
  ['comments without end', () => `To: ${'('.repeat(100_000)}\r\n\r\nthe end`],
  ['groups without end', () => `To: ${'g:'.repeat(50_000)}\r\n\r\nthe end`],
  ['encoded words', () => `Subject: ${'=?utf-8?q?a?= '.repeat(18_000)}\r\n\r\nthe end`],
  ['parameters', () => `Content-Type: text/plain${'; a=b'.repeat(20_000)}\r\n\r\nthe end`],
  ['continued parameters', () => `Content-Type: text/plain${continued()}\r\n\r\nthe end`],
  ['hostile field names', () => '__proto__: x\r\nconstructor: y\r\nthen: z\r\n\r\nthe end'],
  ['invalid UTF-8', () => 'Subject: \xff\xfe\xc0\xaf\xed\xa0\x80\r\n\r\n\xf8\x88 the end'],
  ['no header', () => '\r\nthe end'],
  ['a header alone, cut off', () => 'Subject: the end'],
  ['a boundary that never comes', () => `${multipart('never')}the end`],
  ['an empty boundary', () => `${multipart('')}--\r\n\r\nthe end\r\n----\r\n`],
  ['a Date in the year 99999', () => 'Date: 1 Jan 99999 99:99:99 +9999\r\n\r\nthe end'],
  ['a Message-ID of 100 KB', () => `Message-ID: <${'i'.repeat(100_000)}@x>\r\n\r\nthe end`],
  ['charsets that are none', () => 'Content-Type: text/plain; charset="utf-7\\"\r\n\r\nthe end'],
];

for (const [what, make] of SHAPES) {
  test(`${what}: accepted or refused clearly, and read in every form`, async () => {
    const content = make();
    const sent = await server.deliver(content, 1);
    assert.match(sent, /^(?:250|5\d\d 5\.\d\.\d) /);
    if (!sent.startsWith('250')) return;
    const client = await server.imap(1);
    const ask = async (command: string): Promise<string> => {
      const lines = await client.tagged('t', command);
      assert.match(lines.at(-1) ?? 'closed', /^t OK/, command);
      return lines.join('\r\n');
    };
    await ask('SELECT INBOX');
    const facts = await ask('FETCH * (UID RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE)');
    assert.ok(isBalanced(facts), 'the parentheses of the answer do not match');
    // Only octets of RFC 3501's grammar: no raw 8-bit outside literals, and no NUL.
    assert.doesNotMatch(facts, /\0/);
    const whole = await ask('FETCH * BODY.PEEK[]');
    assert.ok(whole.includes('the end'));
    const size = Number(/RFC822\.SIZE (\d+)/.exec(facts)?.[1]);
    assert.equal(Number(/BODY\[\] \{(\d+)\}/.exec(whole)?.[1]), size);
    for (const section of ['1', '1.MIME', '1.1', '1.1.1.1.1', 'HEADER', 'TEXT', '1.HEADER']) {
      await ask(`FETCH * BODY.PEEK[${section}]<0.100>`);
    }
    await ask('FETCH * BODY.PEEK[1.HEADER.FIELDS (X-A)]');
    const found = await ask('SEARCH TEXT "the end"');
    // What lies deeper than any mail program goes is kept, and not looked into.
    if (!what.includes('nested')) assert.match(found, /^\* SEARCH .*\d/);
    await ask('SEARCH OR SUBJECT a OR FROM b OR TO c HEADER X-Nothing d');
    await ask('UID SEARCH CHARSET UTF-8 OR SENTSINCE 1-Jan-2020 BODY {2+}\r\n\xc3\xa4');
    client.close();
    const pop3 = await server.pop3(1);
    pop3.send('STAT\r\n');
    const count = /^\+OK (\d+)/.exec((await pop3.line()) ?? '')?.[1];
    pop3.send(`RETR ${count}\r\n`);
    let lines = 0;
    for (let line = await pop3.line(); line !== '.'; line = await pop3.line()) {
      assert.notEqual(line, undefined);
      lines += 1;
    }
    assert.ok(lines > 1);
    pop3.send('QUIT\r\n');
    await pop3.rest();
  });
}

test('the same by submission and by APPEND: the same octets come back', async () => {
  for (const [what, make] of SHAPES.slice(0, 2)) {
    const from = server.users[0]!;
    const content = `From: ${from}\r\n${make()}`;
    const client = await server.smtp('submissions');
    await client.ask(`MAIL FROM:<${from}>`);
    await client.ask(`RCPT TO:<${server.users[2]}>`);
    await client.ask('DATA');
    await client.pour(content);
    assert.match(await client.ask('\r\n.'), /^(?:250|5\d\d) /, what);
    client.close();
    const imap = await server.imap(2);
    imap.send(`a APPEND Archive {${content.length}+}\r\n`);
    await imap.pour(content);
    imap.send('\r\n');
    assert.match((await imap.tagged('b', 'NOOP')).join('|'), /a OK [\s\S]*b OK/, what);
    await imap.tagged('c', 'SELECT Archive');
    const lines = await imap.tagged('d', 'FETCH * BODY.PEEK[]');
    const [, size] = /\{(\d+)\}$/.exec(lines.find((line) => line.includes('BODY[]')) ?? '') ?? [];
    const first = lines.findIndex((line) => line.includes('BODY[]')) + 1;
    const literal = lines.slice(first).join('\r\n').slice(0, Number(size));
    assert.equal(literal, content, what);
    imap.close();
  }
});

test('Python’s imaplib reads all of them', { skip: without('python3') }, async () => {
  const script = `
import imaplib, ssl, sys
context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
imaplib._MAXLINE = 50_000_000
box = imaplib.IMAP4_SSL('127.0.0.1', int(sys.argv[1]), ssl_context=context)
box.login(sys.argv[2], sys.argv[3])
status, count = box.select('INBOX')
for number in range(1, int(count[0]) + 1):
    status, data = box.fetch(str(number), '(ENVELOPE BODYSTRUCTURE BODY.PEEK[])')
    assert status == 'OK' and any(isinstance(one, tuple) for one in data), (number, status)
print(count[0].decode(), 'read')
box.logout()
`;
  const args = ['-c', script, String(server.port('imaps')), server.users[1]!];
  const { code, output } = await run('python3', [...args, 'canary-Kestrel7-quartz']);
  assert.equal(code, 0, output);
  assert.match(output, /^\d+ read$/m);
});

function multipart(boundary: string): string {
  return `Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n`;
}

function nested(depth: number): string {
  let text = '';
  for (let level = 0; level < depth; level += 1) text += `${multipart(`b${level}`)}--b${level}\r\n`;
  return `${text}Content-Type: text/plain\r\n\r\nthe end`;
}

function parts(count: number, head = ''): string {
  return `${multipart('b')}${`--b\r\n${head}\r\nthe end\r\n`.repeat(count)}--b--\r\n`;
}

function inside(head: string): string {
  return `${multipart('b')}--b\r\nContent-Type: message/rfc822\r\n\r\n${head}\r\nthe end\r\n--b--\r\n`;
}

function umlauts(): string {
  return '\xc3\xa4'.repeat(120_000);
}

function continued(): string {
  return Array.from({ length: 5_000 }, (_, n) => `;\r\n name*${n}*=utf-8''x`).join('');
}

/** Whether the parentheses match, strings and literals apart. */
function isBalanced(answer: string): boolean {
  let depth = 0;
  for (let at = 0; at < answer.length; at += 1) {
    const literal = /^\{(\d+)\}\r\n/.exec(answer.slice(at, at + 20));
    if (literal !== null) at += literal[0].length + Number(literal[1]) - 1;
    else if (answer[at] === '"') at = endOfQuoted(answer, at);
    else if (answer[at] === '(') depth += 1;
    else if (answer[at] === ')') depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

function endOfQuoted(answer: string, from: number): number {
  let at = from + 1;
  while (at < answer.length && answer[at] !== '"') at += answer[at] === '\\' ? 2 : 1;
  return at;
}
