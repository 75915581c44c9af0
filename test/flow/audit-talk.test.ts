/** postern talk against our own server and a hostile one: scripts, pipes, logins, and what is shown. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Finished, run } from '../interop/tools.ts';
import { DOMAIN, PASSWORD, POSTERN, WholeServer } from '../world/whole-server.ts';

let server: WholeServer;
let passwordFile: string;
let transcript: string;

before(async () => {
  server = await WholeServer.start();
  passwordFile = path.join(server.running.folder, 'password');
  transcript = path.join(server.running.folder, 'transcript');
  writeFileSync(passwordFile, `${PASSWORD}\n`);
});
after(async () => server.stop());

function talk(port: string, args: readonly string[], input = ''): Promise<Finished> {
  const words = ['talk', `127.0.0.1:${server.port(port)}`, ...args];
  return run(POSTERN, words, { input, env: { NO_COLOR: '1' } });
}

function login(mechanism: string): string[] {
  const user = ['--user', `ann@${DOMAIN}`, '--password-file', passwordFile];
  return [...user, '--auth', mechanism, '--transcript', transcript];
}

describe('postern talk', () => {
  it('sends a message by flags and ends with 0; a refusal ends with the number of its stage', async () => {
    const file = path.join(server.running.folder, 'message');
    writeFileSync(file, 'Subject: by talk\n\n.dots\n..are doubled\n');
    const envelope = ['--from', 's@far.example', '--to', `ann@${DOMAIN}`];
    const sent = await talk('smtp', [...envelope, '--data', file]);
    assert.equal(sent.code, 0, sent.output);
    assert.match(sent.output, /<- 354/);
    assert.equal(await server.count(0), 1);
    const refused = await talk('smtp', ['--from', '', '--to', 'x@elsewhere.example']);
    assert.equal(refused.code, 24, refused.output);
    const early = await talk('smtp', [...envelope, '--quit-after', 'mail']);
    assert.equal(early.code, 0);
    assert.doesNotMatch(early.output, /-> RCPT/);
    assert.match(early.output, /-> QUIT/);
  });

  it('logs in with each mechanism over STARTTLS and TLS, in SMTP, IMAP and POP3', async () => {
    const cases = [
      ['submission', 'plain', ['--tls', 'starttls'], /<- 235/],
      ['submissions', 'login', ['--tls', 'implicit'], /<- 235/],
      ['submissions', 'scram-sha-256', ['--tls', 'implicit'], /<- 235/],
      ['imap', 'plain', ['--tls', 'starttls'], /<- p\d+ OK/],
      ['imaps', 'scram-sha-256', ['--tls', 'implicit'], /<- p\d+ OK/],
      ['pop3', 'plain', ['--tls', 'starttls'], /<- \+OK/],
    ] as const;
    for (const [port, mechanism, tls, answer] of cases) {
      const { code, output } = await talk(port, [...login(mechanism), ...tls], '/quit\n');
      assert.equal(code, 0, `${port} ${mechanism}: ${output}`);
      assert.match(output, /TLSv1\.3/);
      assert.match(output, answer, `${port} ${mechanism}`);
      const told = output + readFileSync(transcript, 'utf8');
      const plain = Buffer.from(`\0ann@${DOMAIN}\0${PASSWORD}`).toString('base64');
      for (const secret of [PASSWORD, plain, Buffer.from(PASSWORD).toString('base64')]) {
        assert.ok(!told.includes(secret), `${port} ${mechanism} shows the password`);
      }
    }
  });

  it('shows no password without TLS: PLAIN is not even tried', async () => {
    const { code, output } = await talk('submission', login('plain'), '/quit\n');
    assert.equal(code, 28, output);
    assert.doesNotMatch(output, /AUTH PLAIN [A-Za-z0-9+/]/);
    assert.match(output, /would show the password/);
  });

  it('goes on after a file that is not there and octets that are none, and saves what was said', async () => {
    const input = 'EHLO me.example\n/data /nowhere/x\n/raw \\xZZ\nNOOP\n';
    const { code, output } = await talk('smtp', ['--transcript', transcript], input);
    assert.equal(code, 6, output);
    assert.match(
      output,
      /postern: \/nowhere\/x: no such file or directory\.\npostern: \/data failed/,
    );
    assert.match(output, /-> NOOP\n<- 250 /);
    assert.match(readFileSync(transcript, 'utf8'), /C: NOOP/);
    const nowhere = await talk('smtp', ['--transcript', '/nowhere/transcript'], input);
    assert.equal(nowhere.code, 69, nowhere.output);
    assert.doesNotMatch(nowhere.output, /<- 220/);
  });

  it('works from a pipe: each line waits for its reply, escapes are octets', async () => {
    const input = 'EHLO me.example\nNOOP\\x00\nRSET\n';
    const { code, output } = await talk('smtp', [], input);
    assert.equal(code, 0);
    const marks = output.split('\n').filter((line) => /^(?:->|<- \d{3} )/.test(line));
    assert.deepEqual(marks.map((line) => line.slice(0, 6)).slice(0, 4), [
      '<- 220',
      '-> EHL',
      '<- 250',
      '-> NOO',
    ]);
    assert.match(output, /-> NOOP\\x00/);
  });

  it('makes harmless what a hostile server says, and ends when it floods', async () => {
    const hostile = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write('220 \x1b]0;owned\x07\x1b[2J\u202e evil\r\n');
      const pour = (): void => {
        while (!socket.destroyed && socket.write(`${'A'.repeat(65_536)}`));
      };
      socket.on('data', pour);
      socket.on('drain', pour);
    });
    await new Promise<void>((resolve) => hostile.listen(0, '127.0.0.1', resolve));
    const { port } = hostile.address() as AddressInfo;
    const { code, output } = await run(POSTERN, ['talk', `127.0.0.1:${port}`], {
      input: 'EHLO x\n',
    });
    hostile.close();
    assert.equal(code, 0, output.slice(0, 500));
    assert.doesNotMatch(output, /[\x1b\x07\u202e]/);
    assert.match(output, /\\x1b\]0;owned/);
    assert.ok(output.length < 10_000_000, `${output.length}`);
  });
});
