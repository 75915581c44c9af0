/** The server as a process: ready, signals, second starts, and what stops it from starting. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../exit.ts';
import { inFolder } from '../testing.ts';
import { ownCertificates } from './certificates.ts';
import { DEMO_NAMES } from './demo.ts';

const POSTERN = fileURLToPath(new URL('../../../bin/postern.js', import.meta.url));

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly status: number | null; readonly text: string }>;
}

function start(...words: string[]): Started {
  const args = ['--disable-warning=ExperimentalWarning', POSTERN, 'serve', ...words];
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env['PATH'] ?? '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout.on('data', (bytes: Buffer) => (text += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (text += bytes.toString()));
  const ended = new Promise<{ status: number | null; text: string }>((resolve) => {
    child.on('close', (status) => resolve({ status, text }));
  });
  return { child, ended };
}

interface Ready {
  readonly ca: string;
  readonly accounts: readonly { readonly password: string | null }[];
  readonly listeners: Readonly<Record<string, { readonly port: number }>>;
}

/** Waits for the ready file, which is there whole or not at all. */
async function ready(file: string, { ended }: Started): Promise<Ready> {
  let over = false;
  void ended.then(() => (over = true));
  while (!existsSync(file)) {
    if (over) assert.fail((await ended).text);
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
  return JSON.parse(readFileSync(file, 'utf8')) as Ready;
}

/** The first line that a TLS listener says. */
function greeting(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, ca: readFileSync(ca), servername: 'demo.test' };
    const socket = connect(options);
    socket.on('error', reject);
    socket.once('data', (bytes) => {
      socket.destroy();
      resolve(bytes.toString());
    });
  });
}

function fingerprint(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, ca: readFileSync(ca), servername: 'demo.test' };
    const socket = connect(options, () => {
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      resolve(fingerprint256);
    });
    socket.on('error', reject);
  });
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('the demo: ready file, TLS by its own CA, a second server, SIGHUP, SIGTERM, second start', async () => {
  await inFolder(async (folder) => {
    const data = join(folder, 'data');
    const file = join(folder, 'ready.json');
    const first = start('--demo', '--data', data, '--ready-file', file);
    const facts = await ready(file, first);
    assert.equal(facts.accounts.length, 3);
    assert.ok(facts.accounts.every(({ password }) => typeof password === 'string'));
    assert.match(await greeting(facts.listeners['submissions']?.port ?? 0, facts.ca), /^220 demo/);

    const second = await start('--demo', '--data', data).ended;
    assert.equal(second.status, EXIT.unavailable);
    assert.match(second.text, /another Postern serves .*\. Stop it, or name another --data\.\n$/);

    const imaps = facts.listeners['imaps']?.port ?? 0;
    assert.match(await greeting(imaps, facts.ca), /^\* OK/);
    const before = await fingerprint(imaps, facts.ca);
    await ownCertificates(join(data, 'tls'), [...DEMO_NAMES, 'more.test'], Date.now());
    first.child.kill('SIGHUP');
    while ((await fingerprint(imaps, facts.ca)) === before);
    first.child.kill('SIGTERM');
    assert.equal((await first.ended).status, EXIT.ok);

    const again = join(folder, 'again.json');
    const third = start('--demo', '--data', data, '--ready-file', again);
    const kept = await ready(again, third);
    assert.ok(kept.accounts.every(({ password }) => password === null));
    third.child.kill('SIGINT');
    const { status, text } = await third.ended;
    assert.equal(status, EXIT.ok);
    assert.match(text, /shown at the first start/);
  });
});

function configuration(folder: string, more: string): string {
  const file = join(folder, 'p.toml');
  const none = ['submission', 'submissions', 'imap', 'imaps', 'pop3', 'pop3s']
    .map((name) => `${name}_listen = []`)
    .join('\n');
  writeFileSync(file, `myhostname = "mail.example.org"\ndata_directory = "d"\n${none}\n${more}\n`);
  return file;
}

test('with a configuration: JSON log on standard error, figures, no banner', async () => {
  await inFolder(async (folder) => {
    const port = await freePort();
    const more = `smtp_listen = ["127.0.0.1:0"]\nmetrics_listen = ["127.0.0.1:${port}"]`;
    const file = configuration(folder, more);
    const readyFile = join(folder, 'ready.json');
    const server = start('--config', file, '--ready-file', readyFile);
    const facts = await ready(readyFile, server);
    assert.deepEqual(Object.keys(facts.listeners), ['smtp']);
    const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    assert.match(page, /^nodejs_eventloop_lag_seconds /m);
    assert.match(page, /^postern_queue_messages 0$/m);
    server.child.kill('SIGTERM');
    const { status, text } = await server.ended;
    assert.equal(status, EXIT.ok, text);
    const lines = text.trimEnd().split('\n');
    const events = lines.map((line) => (JSON.parse(line) as { event: string }).event);
    for (const event of ['own-certificate', 'no-domain', 'ready', 'stopping', 'stopped']) {
      assert.ok(events.includes(event), `${event} in ${events.join(' ')}`);
    }
  });
});

describe(
  'what stops a server from starting: one line, a cure, a status',
  { concurrency: 4 },
  () => {
    test('a port in use', async () => {
      await inFolder(async (folder) => {
        const taken = createServer();
        await new Promise<void>((resolve) => {
          taken.listen(0, '127.0.0.1', resolve);
        });
        const address = taken.address();
        const port = typeof address === 'object' ? address?.port : 0;
        const file = configuration(folder, `smtp_listen = ["127.0.0.1:${port}"]`);
        const { status, text } = await start('--config', file).ended;
        taken.close();
        assert.equal(status, EXIT.unavailable);
        const last = text
          .trimEnd()
          .split('\n')
          .find((line) => line.startsWith('postern:'));
        assert.match(last ?? '', /smtp: 127\.0\.0\.1:\d+ is in use .*or set smtp_listen\.$/);
        assert.doesNotMatch(text, /\bat .*\.ts:/);
      });
    });

    test('a certificate that is missing', async () => {
      await inFolder(async (folder) => {
        const names = 'smtpd_tls_cert_file = "no.pem"\nsmtpd_tls_key_file = "no.key"';
        const file = configuration(folder, `smtp_listen = ["127.0.0.1:0"]\n${names}`);
        const { status, text } = await start('--config', file).ended;
        assert.equal(status, EXIT.configuration);
        assert.match(text, /no\.pem: there is no such file\. Put it there/);
      });
    });

    test('a certificate that is past its end', async () => {
      await inFolder(async (folder) => {
        const past = Date.now() - 500 * 86_400_000;
        const { files } = await ownCertificates(join(folder, 'tls'), ['mail.example.org'], past);
        const names =
          `smtpd_tls_cert_file = "${files.certificateFile}"\n` +
          `smtpd_tls_key_file = "${files.keyFile}"`;
        const file = configuration(folder, `smtp_listen = ["127.0.0.1:0"]\n${names}`);
        const { status, text } = await start('--config', file).ended;
        assert.equal(status, EXIT.configuration, text);
        assert.match(text, /^postern: .*cert\.pem.*(?:expired|ended).*Renew it\.$/m);
      });
    });

    test('a database that is none', async () => {
      await inFolder(async (folder) => {
        const data = join(folder, 'd');
        mkdirSync(data, { mode: 0o700 });
        writeFileSync(
          join(data, 'postern.db'),
          'this is no database, but long enough. '.repeat(200),
        );
        const file = configuration(folder, 'smtp_listen = ["127.0.0.1:0"]');
        const { status, text } = await start('--config', file).ended;
        assert.equal(status, EXIT.data, text);
        assert.match(text, /postern\.db is damaged or no database/);
        assert.doesNotMatch(text, /\bat .*\.ts:/);
      });
    });
  },
);
