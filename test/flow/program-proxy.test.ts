/** The PROXY protocol on a running server: believed of listed hosts alone, and then everywhere. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { LineClient } from '../world/line-client.ts';
import { waitFor } from '../world/postern.ts';
import { WholeServer } from '../world/whole-server.ts';

const V1 = 'PROXY TCP4 203.0.113.9 192.0.2.1 4711 25\r\n';

let behind: WholeServer;
let open: WholeServer;

before(async () => {
  [behind, open] = await Promise.all([
    WholeServer.start({
      users: [],
      settings: 'smtpd_upstream_proxy_hosts = ["127.0.0.0/8"]\nsmtpd_upstream_proxy_timeout = "1s"',
    }),
    WholeServer.start({ users: ['ann'] }),
  ]);
  const made = await behind.run(
    ['account', 'add', 'ann@whole.test', '--password-stdin'],
    'a-b-c-d-e-f\n',
  );
  assert.equal(made.code, 0, made.output);
});

after(async () => {
  await behind.stop();
  await open.stop();
});

test('the client that a listed proxy names stands in Received and in the ledger', async () => {
  const rows: readonly (readonly [string, Buffer, string])[] = [
    ['v1', Buffer.from(V1), '203.0.113.9'],
    ['v1 over IPv6', Buffer.from('PROXY TCP6 2001:db8::9 2001:db8::1 4711 25\r\n'), '2001:db8::9'],
    ['v2', v2(), '198.51.100.7'],
  ];
  for (const [what, header, address] of rows) {
    const client = await behind.dial('smtp');
    // In one packet with nothing, then cut in two.
    client.send(header.subarray(0, 9));
    client.send(header.subarray(9));
    assert.match((await client.reply()).at(-1) ?? '', /^220/, what);
    await client.ask('EHLO mx.far.example');
    await client.ask(`MAIL FROM:<${what.replace(/\W/g, '')}@far.example>`);
    assert.match(await client.ask('RCPT TO:<ann@whole.test>'), /^250/);
    await client.ask('DATA');
    const fields = `From: s@far.example\r\nSubject: ${what}\r\n`;
    assert.match(await client.ask(`${fields}\r\nx\r\n.`), /^250/);
    client.close();
    const sender = `${what.replace(/\W/g, '')}@far.example`;
    const story = async (): Promise<string> => (await behind.command('trace', sender)).output;
    assert.ok(await waitFor(async () => (await story()).includes(address), 3_000), await story());
    assert.ok(behind.running.output().includes(`"client":"${address}"`), what);
  }
  const octets = await read(behind);
  assert.match(octets, /Received: from mx\.far\.example \(?[^\r\n]*\[203\.0\.113\.9\]/);
  assert.match(octets, /Received: from mx\.far\.example \(?[^\r\n]*\[IPv6:2001:db8::9\]/);
  assert.match(octets, /Received: from mx\.far\.example \(?[^\r\n]*\[198\.51\.100\.7\]/);
  assert.doesNotMatch(octets, /\[127\.0\.0\.1\]/);
});

test('a client that a proxy names is not of our networks because the proxy is', async () => {
  const client = await behind.dial('smtp');
  client.send(V1);
  await client.reply();
  await client.ask('EHLO mx.far.example');
  await client.ask('MAIL FROM:<s@far.example>');
  assert.match(await client.ask('RCPT TO:<x@elsewhere.example>'), /^554 5\.7\.1|^55\d/);
  client.close();
});

test('on every port the header comes before everything, under TLS from the start too', async () => {
  for (const [name, greeting] of [
    ['submission', /^220/],
    ['imap', /^\* OK/],
    ['pop3', /^\+OK/],
    ['lmtp', /^220/],
  ] as const) {
    const client = await behind.dial(name);
    client.send(V1);
    assert.match((await client.line()) ?? '', greeting, name);
    client.close();
  }
  for (const name of ['submissions', 'imaps', 'pop3s']) {
    const client = await behind.dial(name);
    client.send(V1);
    await client.startTls();
    assert.match((await client.line()) ?? '', /^(?:220|\* OK|\+OK)/, name);
    client.close();
  }
});

test('a listed proxy that sends none, a broken, an endless or a late one is cut off without a word', async () => {
  const bad: readonly (readonly [string, string])[] = [
    ['none', 'EHLO a.test\r\n'],
    ['broken', 'PROXY TCP4 999.0.0.1 1.1.1.1 1 2\r\n'],
    ['a port too high', 'PROXY TCP4 1.1.1.1 1.1.1.1 70000 2\r\n'],
    ['control characters', 'PROXY TCP4 1.1.1.1\0 1.1.1.1 1 2\r\n'],
    ['bare LF', 'PROXY TCP4 1.1.1.1 1.1.1.1 1 2\n'],
    ['endless', `PROXY ${'x'.repeat(1_000_000)}`],
    ['v2 with an absurd length', '\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff'],
    ['half', 'PROXY TC'],
    ['silence', ''],
  ];
  await Promise.all(
    bad.map(async ([what, octets]) => {
      const client = await behind.dial('smtp');
      client.send(octets);
      assert.deepEqual(await client.rest(), [], what);
    }),
  );
});

test('of everyone else the header is refused, and nothing of it is believed', async () => {
  for (const header of [V1, v2().toString('latin1')]) {
    for (const name of ['smtp', 'submission', 'lmtp', 'imap', 'pop3'] as const) {
      const client = await LineClient.connect(open.port(name));
      client.send(`${header}QUIT\r\n`);
      const lines = await client.rest().catch((error: Error) => [error.message]);
      assert.doesNotMatch(
        lines.slice(1).join('|'),
        /^250|^\+OK [^|]*$/,
        `${name}: ${lines.join('|')}`,
      );
    }
  }
  assert.doesNotMatch(open.running.output(), /"client":"(?:203\.0\.113\.9|198\.51\.100\.7)"/);
  assert.match(await open.deliver('Subject: direct\r\n\r\nx'), /^250/);
  const client = await open.imap();
  await client.tagged('a', 'EXAMINE INBOX');
  assert.match((await client.tagged('b', 'FETCH 1 BODY[]')).join('\n'), /\[127\.0\.0\.1\]/);
  client.close();
});

/** 198.51.100.7:4711 to 192.0.2.1:25, version 2. */
function v2(): Buffer {
  const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
  const addresses = Buffer.from([198, 51, 100, 7, 192, 0, 2, 1, 0x12, 0x67, 0, 25]);
  return Buffer.concat([signature, Buffer.from([0x21, 0x11, 0, addresses.length]), addresses]);
}

/** ann's INBOX behind the proxy. */
async function read(server: WholeServer): Promise<string> {
  const client = await server.dial('imaps');
  client.send(V1);
  await client.startTls();
  await client.line();
  await client.tagged('l', 'LOGIN ann@whole.test a-b-c-d-e-f');
  await client.tagged('a', 'EXAMINE INBOX');
  const lines = await client.tagged('b', 'FETCH 1:* BODY.PEEK[]');
  client.close();
  return lines.join('\r\n');
}
