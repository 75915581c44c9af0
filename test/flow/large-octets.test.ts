/** Large messages, many at a time, in clear and under TLS: what is read is what was sent, octet for octet. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { SMTP_PORTS, type SmtpPort, WholeServer } from '../world/whole-server.ts';

/** Below the limit of memory, written in one piece, and written in several. */
const SIZES = [20_000, 150_000, 1_200_000];

let server: WholeServer;

before(async () => {
  server = await WholeServer.start();
});

after(() => server.stop());

/*
 * Memory of octets that were written is given back while other sessions read on: were it given back
 * too early, or with something else in it, these would be other octets.
 */
test('large messages of several sessions at once are kept octet for octet', async () => {
  const sent = new Map<string, string>();
  const loads = SMTP_PORTS.map((port) => bySmtp(port, sent));
  await Promise.all([...loads, byAppend('one', sent), byAppend('two', sent)]);
  const imap = await server.imap();
  assert.match((await imap.tagged('s', 'EXAMINE INBOX')).at(-1) ?? '', /^s OK/);
  assert.equal(sent.size, 18);
  for (let number = 1; number <= sent.size; number += 1) {
    const [, ...fields] = await imap.tagged(
      'h',
      `FETCH ${number} BODY.PEEK[HEADER.FIELDS (Subject)]`,
    );
    const name = /^Subject: (\S+)/.exec(fields[0] ?? '')?.[1] ?? '';
    const [, ...lines] = await imap.tagged('b', `FETCH ${number} BODY.PEEK[TEXT]`);
    // The literal ends with a line end; what follows it is `)` and the tagged answer.
    assert.equal(digest(lines.slice(0, -2)), sent.get(name), name);
  }
  imap.close();
});

async function bySmtp(port: SmtpPort, sent: Map<string, string>): Promise<void> {
  const from = port.startsWith('submission') ? server.users[0]! : 's@far.example';
  const client = await server.smtp(port);
  for (const size of SIZES) {
    const name = `${port}-${size}`;
    const lines = linesOf(name, size);
    sent.set(name, digest(lines));
    assert.match(await client.ask(`MAIL FROM:<${from}>`), /^250/);
    assert.match(await client.ask(`RCPT TO:<${server.users[0]}>`), /^250/);
    assert.match(await client.ask('DATA'), /^354/);
    await client.pour(`From: <${from}>\r\nSubject: ${name}\r\n\r\n`, 30_000);
    const stuffed = lines.map((line) => (line.startsWith('.') ? `.${line}` : line));
    await client.pour(stuffed.join('\r\n'), 30_000);
    assert.match(await client.ask('\r\n.'), /^250/);
  }
  client.close();
}

async function byAppend(who: string, sent: Map<string, string>): Promise<void> {
  const client = await server.imap();
  for (const size of SIZES) {
    const name = `${who}-${size}`;
    const lines = linesOf(name, size);
    sent.set(name, digest(lines));
    const message = `Subject: ${name}\r\n\r\n${lines.join('\r\n')}\r\n`;
    client.send(`a APPEND INBOX {${message.length}}\r\n`);
    assert.match((await client.line()) ?? '', /^\+/);
    await client.pour(`${message}\r\n`, 30_000);
    assert.match((await client.line()) ?? '', /^a OK/);
  }
  client.close();
}

/** Lines of all lengths that are different in each message, dots at their beginnings among them. */
function linesOf(name: string, bytes: number): string[] {
  const lines: string[] = [];
  for (let size = 0, at = 0; size < bytes; at += 1) {
    const text = createHash('sha512').update(`${name} ${at}`).digest('base64');
    const line = at % 40 === 7 ? '.'.repeat((at % 3) + 1) : text.slice(0, (at * 7) % 89);
    lines.push(line);
    size += line.length + 2;
  }
  return lines;
}

function digest(lines: readonly string[]): string {
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}
