/** nodemailer sends and imapflow reads, live: what is delivered reaches an IDLE client at once. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ImapFlow } from 'imapflow';
import { createTransport } from 'nodemailer';
import { demo } from '../world/demo.ts';

const postern = demo();
const { port, account } = postern;

/** What the clients trust. */
function trust(): { readonly ca: string } {
  return { ca: readFileSync(postern.server.ready.ca, 'utf8') };
}

function transport(kind: 'submission' | 'submissions') {
  const { address, password } = account(0);
  return createTransport({
    host: '127.0.0.1',
    port: port(kind),
    secure: kind === 'submissions',
    requireTLS: true,
    auth: { user: address, pass: password },
    tls: trust(),
  });
}

function reader(index: number): ImapFlow {
  const { address, password } = account(index);
  return new ImapFlow({
    host: '127.0.0.1',
    port: port('imaps'),
    secure: true,
    auth: { user: address, pass: password },
    tls: trust(),
    logger: false,
  });
}

test('nodemailer submits by STARTTLS and by TLS, imapflow finds both', async () => {
  const [alice, bob] = postern.server.ready.accounts;
  for (const kind of ['submission', 'submissions'] as const) {
    const sender = transport(kind);
    await sender.sendMail({
      from: alice!.address,
      to: bob!.address,
      subject: `by ${kind} — grüße`,
      text: 'hello\n.\n..two\nend',
      attachments: [{ filename: 'ä.bin', content: Buffer.alloc(100_000, 7) }],
    });
    sender.close();
  }
  const client = reader(1);
  await client.connect();
  await client.mailboxOpen('INBOX');
  const found = await client.fetchAll('1:*', { envelope: true, bodyStructure: true, uid: true });
  assert.deepEqual(
    found.map(({ envelope }) => envelope?.subject),
    ['by submission — grüße', 'by submissions — grüße'],
  );
  const second = await client.download('2', '2');
  const octets: Buffer[] = [];
  for await (const piece of second.content) octets.push(piece as Buffer);
  assert.ok(Buffer.concat(octets).equals(Buffer.alloc(100_000, 7)));
  assert.deepEqual(await client.search({ subject: 'grüße' }), [1, 2]);
  await client.messageFlagsAdd('1', ['\\Flagged', 'project-x']);
  await client.messageMove('1', 'Archive');
  assert.equal((await client.status('Archive', { messages: true })).messages, 1);
  await client.logout();
});

test('an IDLE client hears of a delivery in milliseconds', async () => {
  const [alice, bob] = postern.server.ready.accounts;
  const client = reader(1);
  await client.connect();
  await client.mailboxOpen('INBOX');
  const sender = transport('submissions');
  await sender.verify();
  void client.idle();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const wakes: number[] = [];
  for (let count = 0; count < 5; count += 1) {
    const told = new Promise<number>((resolve) =>
      client.once('exists', () => resolve(performance.now())),
    );
    await sender.sendMail({ from: alice!.address, to: bob!.address, subject: 'wake', text: 'up' });
    const answered = performance.now();
    wakes.push((await told) - answered);
  }
  sender.close();
  await client.logout();
  // The quickest counts: a busy machine may delay one, polling would delay each.
  assert.ok(Math.min(...wakes) < 50, wakes.map((ms) => ms.toFixed(1)).join(' '));
});
