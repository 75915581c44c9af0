/** The program as its operator meets it: help, JSON, statuses, colours, signals, logs, secrets. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { paste, without } from '../interop/tools.ts';
import { ROOT } from '../laws/tree.ts';
import { testCertificate } from '../world/certificates.ts';
import { waitFor } from '../world/postern.ts';
import { saslLogin } from '../world/sasl.ts';
import { PASSWORD, POSTERN, WholeServer } from '../world/whole-server.ts';

let server: WholeServer;

before(async () => {
  server = await WholeServer.start({ settings: 'log_level = "debug"' });
  assert.match(await server.deliver('Message-ID: <m1@far.example>\r\nSubject: a\r\n\r\nx'), /^250/);
  const client = await server.smtp('submissions');
  await client.ask(`MAIL FROM:<${server.users[0]}>`);
  await client.ask('RCPT TO:<waits@far.example>');
  await client.ask('DATA');
  assert.match(await client.ask(`From: ${server.users[0]}\r\n\r\nx\r\n.`), /^250/);
  client.close();
});

after(async () => {
  await server.stop();
});

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command on the server's data, or on none, with its outputs apart. */
function postern(args: readonly string[], bare = false): Promise<Outcome> {
  const file = path.join(server.running.folder, 'postern.toml');
  const flags = bare ? [] : ['--config', file, '--data', server.data];
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env['PATH'] ?? '', POSTERN_PASSWORD: PASSWORD };
    const child = spawn(POSTERN, [...args, ...flags], { env, timeout: 20_000 });
    child.stdin.end();
    let out = '';
    let err = '';
    child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out, err }));
  });
}

/** Commands of README's table, with those below them as their help lists them. */
async function commands(): Promise<string[][]> {
  const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
  const rows = [...readme.matchAll(/^\| `postern [^|]*\|/gm)].map(([row]) => row);
  const names = rows.flatMap((row) =>
    [...row.matchAll(/`(?:postern )?([a-z]+)/g)].map(([, name]) => name!),
  );
  assert.ok(names.length >= 9, names.join(' '));
  return names.map((name) => [name]);
}

test('every command of the README explains itself, and so does each below it', async () => {
  const { out: all } = await postern(['--help'], true);
  const todo = await commands();
  for (const [name = ''] of todo) assert.match(all, new RegExp(`^  ${name}\\b`, 'm'), name);
  await Promise.all(
    todo.map(async (words) => {
      const { code, out, err } = await postern([...words, '--help'], true);
      assert.equal(code, 0, words.join(' '));
      assert.equal(err, '');
      assert.match(out, new RegExp(`^Usage: postern ${words.join(' ')}`));
      assert.doesNotMatch(out, /undefined|\[object/);
      const section = out.split('\nCommands:\n')[1]?.split('\n\n', 1)[0] ?? '';
      const below = [...section.matchAll(/^  ([a-z]+) /gm)];
      for (const [, name] of below) {
        if (name === 'help') continue;
        const inner = await postern([...words, name!, '--help'], true);
        assert.equal(inner.code, 0, `${words.join(' ')} ${name}`);
        assert.match(inner.out, new RegExp(`^Usage: postern ${words.join(' ')} ${name}`));
      }
    }),
  );
});

test('--json is one JSON value on standard output, and nothing else is there', async () => {
  const { out } = await postern(['queue', 'list', '--json']);
  const [waiting] = JSON.parse(out) as { id?: string; queueId?: string }[];
  const id = waiting?.id ?? waiting?.queueId ?? '';
  assert.match(id, /^[0-9A-Z]{12,}$/, out);
  const port = server.port('submissions');
  const submit = `send 127.0.0.1:${port} --tls implicit --insecure --subject json --text x`;
  const [ann = '', ben = ''] = server.users;
  const send = [...submit.split(' '), '--user', ann, '--from', ann, '--to', ben];
  const rows: readonly (readonly string[])[] = [
    ['version'],
    ['domain', 'list'],
    ['account', 'list'],
    ['alias', 'list'],
    ['queue', 'list'],
    ['queue', 'show', id],
    ['queue', 'hold', id],
    ['queue', 'release', id],
    ['queue', 'retry', id],
    ['trace', id],
    ['trace', 'm1@far.example'],
    ['trace', server.users[0]!],
    ['config', 'check'],
    ['config', 'print'],
    ['config', 'explain', 'mynetworks'],
    send,
  ];
  for (const row of rows) {
    const { code, out: json, err } = await postern([...row, '--json']);
    assert.equal(code, 0, `${row.join(' ')}: ${err}`);
    // A story is an entry a line, for `jq` and for endless ones.
    const values = row[0] === 'trace' ? json.trimEnd().split('\n') : [json];
    for (const one of values) {
      assert.equal(typeof JSON.parse(one), 'object', `${row.join(' ')}: ${json.slice(0, 200)}`);
    }
    assert.ok(!json.includes(PASSWORD) && !err.includes(PASSWORD), row.join(' '));
  }
});

test('errors have the status of sysexits, a cause and a cure, on standard error alone', async () => {
  const rows: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['qeue'], 64, /queue/],
    [['queue', 'lst'], 64, /list/],
    [['account', 'add'], 64, /address/],
    [['account', 'add', 'no-address', '--generate'], 65, /no-address/],
    [['account', 'add', 'x@elsewhere.example', '--generate'], 67, /elsewhere\.example/],
    [['account', 'remove', 'nobody@whole.test', '--yes'], 67, /nobody@whole\.test/],
    [['queue', 'show', 'NOSUCHID0000'], 65, /NOSUCHID0000/],
    [['trace', 'nothing@nowhere.example'], 65, /nothing@nowhere\.example/],
    [['config', 'explain', 'mynetwork'], 65, /mynetworks/],
    [['version', '--bogus'], 64, /--bogus/],
    [
      ['send', '127.0.0.1:1', '--from', 'a@b.example', '--to', 'c@d.example', '--text', 'x'],
      69,
      /127\.0\.0\.1/,
    ],
  ];
  for (const [args, status, words] of rows) {
    const { code, out, err } = await postern(args);
    const told = `${args.join(' ')}: ${code} ${err}`;
    assert.equal(code, status, told);
    assert.equal(out, '', told);
    assert.match(err, words, told);
    assert.match(err, /^postern: /, told);
    assert.doesNotMatch(err, /\n\s+at |undefined|\[object/, told);
  }
});

test(
  'colours only on a terminal, and never with NO_COLOR',
  { skip: without('script') },
  async () => {
    const flags = `--config ${server.running.folder}/postern.toml --data ${server.data}`;
    const onTerminal = (environment: string): Promise<string> =>
      paste(
        `env ${environment} TERM=xterm script -qec '${POSTERN} trace m1@far.example ${flags}; ${POSTERN} queue list ${flags}' /dev/null`,
      ).then(({ output }) => output);
    assert.doesNotMatch(await onTerminal('NO_COLOR=1'), /\x1b\[/);
    assert.match(await onTerminal('-u NO_COLOR'), /\x1b\[/);
    const { out } = await postern(['trace', 'm1@far.example']);
    assert.doesNotMatch(out, /\x1b/);
  },
);

test('a second server on the same data is refused', async () => {
  const { code, err } = await postern(['serve']);
  assert.equal(code, 69);
  assert.match(err, /another Postern serves/);
  await server.isAlive();
});

test('the log is one JSON object a line; what is about a message has its queueId', async () => {
  const lines = server.running.output().trim().split('\n');
  const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  for (const event of events) {
    assert.equal(typeof event['event'], 'string');
    assert.ok(Number.isFinite(Date.parse(String(event['time']))));
    assert.ok(['debug', 'info', 'warn', 'error'].includes(String(event['level'])));
  }
  const accepted = events.filter(({ event }) => event === 'accepted');
  assert.ok(accepted.length >= 2);
  // What left, or waits for another server, is told too: nobody answers for far.example here.
  const deferred = events.filter(({ event }) => event === 'queue.deferred');
  assert.match(JSON.stringify(deferred), /waits@far\.example/);
  for (const event of [...accepted, ...deferred]) {
    assert.match(String(event['queueId']), /^[0-9A-Z]{12,}$/);
  }
});

test('no password is ever written: not in the log, not in the ledger, not on disk', async () => {
  const wrong = 'canary-Wrong9-granite';
  const smtp = await server.open('submissions');
  await smtp.ask('EHLO desk.test');
  await smtp.ask(`AUTH PLAIN ${encoded(`\0${server.users[0]}\0${wrong}`)}`);
  await smtp.ask('AUTH LOGIN');
  await smtp.ask(encoded(server.users[0]!));
  await smtp.ask(encoded(wrong));
  await smtp.ask(wrong);
  smtp.close();
  const clear = await server.open('submission');
  await clear.ask('EHLO desk.test');
  await clear.ask(`AUTH PLAIN ${encoded(`\0${server.users[0]}\0${wrong}`)}`);
  clear.close();
  const imap = await server.open('imaps');
  await imap.tagged('a', `LOGIN ${server.users[0]} ${wrong}`);
  await imap.tagged('b', `LOGINN ${server.users[0]} ${wrong}`);
  imap.close();
  const pop3 = await server.open('pop3s');
  pop3.send(`USER ${server.users[1]}\r\nPASS ${wrong}\r\nPASS ${wrong}\r\n`);
  for (let n = 0; n < 3; n += 1) await pop3.line();
  pop3.close();
  const good = await server.open('submissions');
  await good.ask('EHLO desk.test');
  const login = { user: server.users[1]!, password: PASSWORD };
  assert.match(await saslLogin(good, 'smtp', 'LOGIN', login), /^235/);
  good.close();
  // The last of them is written: so all that was said is where it can be found.
  const written = async (): Promise<boolean> =>
    /pop3s/.test((await postern(['trace', server.users[1]!])).out);
  assert.ok(await waitFor(written, 10_000), 'the wrong logins are not in the ledger');
  const { out } = await postern(['trace', server.users[0]!, '--json']);
  const config = await postern(['config', 'print', '--json']);
  const everything = [server.running.output(), out, config.out, ...filesIn(server.data)].join('\n');
  assert.ok(everything.includes(server.users[0]!), 'the search itself must be able to find');
  for (const secret of [PASSWORD, wrong]) {
    const forms = [
      secret,
      encoded(secret),
      encoded(`\0${server.users[0]}\0${secret}`),
      `\0${secret}`,
    ];
    for (const form of forms) {
      assert.ok(!everything.includes(form.replace(/=+$/, '')), `${secret} as ${form}`);
    }
  }
});

test('SIGHUP takes a changed certificate; a broken one is told and not taken', async () => {
  const names = ['mx.whole.test', '127.0.0.1'];
  const folder = server.running.folder;
  const file = (end: string): string => path.join(folder, `own.${end}`);
  const put = (): string => {
    const { certificate, key } = testCertificate({ names });
    writeFileSync(`${file('pem')}.new`, certificate);
    writeFileSync(file('key'), key);
    renameSync(`${file('pem')}.new`, file('pem'));
    return certificate;
  };
  put();
  const settings = `smtpd_tls_cert_file = "${file('pem')}"\nsmtpd_tls_key_file = "${file('key')}"\n`;
  const other = await WholeServer.start({ settings, users: [] });
  try {
    const open = await other.open('imaps');
    const first = await fingerprint(other.port('imaps'));
    put();
    other.running.child.kill('SIGHUP');
    assert.ok(await waitFor(async () => (await fingerprint(other.port('imaps'))) !== first, 5_000));
    assert.equal(
      await fingerprint(other.port('submissions')),
      await fingerprint(other.port('imaps')),
    );
    const second = await fingerprint(other.port('imaps'));
    writeFileSync(file('pem'), 'nothing');
    other.running.child.kill('SIGHUP');
    assert.ok(await waitFor(() => other.running.output().includes('certificates-kept'), 5_000));
    assert.equal(await fingerprint(other.port('imaps')), second);
    // Who was there before still is.
    assert.match((await open.tagged('n', 'NOOP')).at(-1)!, /^n OK/);
    open.close();
  } finally {
    await other.stop();
  }
});

test('SIGTERM under load ends within ten seconds, with 0, and loses nothing', async () => {
  const running = await WholeServer.start({ users: ['ann'] });
  const ok: string[] = [];
  const load = async (name: string): Promise<void> => {
    const client = await running.smtp();
    for (let n = 0; !client.ended; n += 1) {
      await client.ask('MAIL FROM:<s@far.example>');
      await client.ask(`RCPT TO:<${running.users[0]}>`);
      if (!(await client.ask('DATA')).startsWith('354')) return;
      if ((await client.ask(`Subject: ${name}-${n}-end\r\n\r\nx\r\n.`)).startsWith('250')) {
        ok.push(`${name}-${n}-end`);
      }
    }
  };
  const loads = Array.from({ length: 6 }, (_, n) => load(`s${n}`).catch(() => undefined));
  const idle = await running.imap();
  await idle.tagged('a', 'SELECT INBOX');
  idle.send('i IDLE\r\n');
  await waitFor(() => ok.length > 30, 10_000);
  const from = performance.now();
  const code = await running.running.stop('SIGTERM');
  const took = performance.now() - from;
  await Promise.all(loads);
  assert.ok(ok.length > 30);
  assert.equal(code, 0, running.running.output().slice(-500));
  assert.ok(took < 10_000, `${took} ms`);
  assert.match((await idle.rest()).at(-1) ?? '', /^\* BYE/);
  running.running = await running.running.restart();
  const client = await running.imap();
  await client.tagged('a', 'SELECT INBOX');
  const found = (await client.tagged('b', 'FETCH 1:* BODY.PEEK[HEADER.FIELDS (Subject)]')).join(
    '\n',
  );
  client.close();
  for (const id of ok) assert.equal(found.split(`Subject: ${id}`).length, 2, id);
  await running.stop();
});

function encoded(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** All files below a folder as latin1 text. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'latin1'));
}

function fingerprint(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      resolve(fingerprint256);
    });
    socket.on('error', reject);
  });
}
