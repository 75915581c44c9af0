/** The prompt for a password on a real terminal: nothing that is typed is shown. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** Node has no pseudo-terminals; Python's standard library has. */
const TERMINAL = `
import os, pty, select, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
out = b''
end = time.time() + 20
typed = False
while time.time() < end:
    ready, _, _ = select.select([fd], [], [], 0.2)
    if not ready: continue
    try: got = os.read(fd, 1000)
    except OSError: break
    if not got: break
    out += got
    if not typed and b'Secret: ' in out:
        typed = True
        os.write(fd, b'canaryx\\x7f \\xc3\\xbc\\r')
os.waitpid(pid, 0)
sys.stdout.buffer.write(out)
`;

const ASK = `
const { processIo } = await import(process.argv[1]);
const typed = await processIo().askSecret('Secret: ');
console.log(Buffer.from(typed).toString('hex'));
`;

const hasPython = spawnSync('python3', ['-c', 'import pty']).status === 0;

test('typed without echo, backspace and UTF-8 understood', { skip: !hasPython }, async () => {
  const module = new URL('./process-io.ts', import.meta.url).href;
  const words = ['-c', TERMINAL, process.execPath, '--input-type=module', '-e', ASK, module];
  const child = spawn('python3', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let shown = '';
  child.stdout.on('data', (bytes: Buffer) => (shown += bytes.toString()));
  await new Promise((resolve) => {
    child.on('close', resolve);
  });
  assert.match(shown, /^Secret: \r?\n/);
  assert.doesNotMatch(shown, /canary/);
  assert.match(shown, new RegExp(Buffer.from('canary ü').toString('hex')));
});

test('without a terminal nobody is asked', () => {
  const module = fileURLToPath(new URL('./process-io.ts', import.meta.url));
  const code = `const { processIo } = await import(${JSON.stringify(module)});
    console.log(await processIo().askSecret('Secret: '));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    input: 'canary\n',
    encoding: 'utf8',
  });
  assert.equal(stdout, 'undefined\n', stderr);
});

const WRITE = `
const { processIo } = await import(process.argv[1]);
const io = processIo();
let written = 0;
setTimeout(() => io.warn(String(written) + '\\n'), 50);
for (; written < 100; written++) {
  io.write('x'.repeat(100_000));
  await io.taken();
  await new Promise(setImmediate);
}
io.warn('all\\n');
`;

test('much output waits for a slow reader, and for none that is gone', async () => {
  const module = new URL('./process-io.ts', import.meta.url).href;
  for (const gone of [false, true]) {
    const words = ['--input-type=module', '-e', WRITE, module];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = once(child, 'close');
    let told = '';
    let taken = 0;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      told += text;
      // Only now does anybody read.
      if (gone) child.stdout.destroy();
      else child.stdout.on('data', (bytes: Buffer) => (taken += bytes.length));
    });
    assert.deepEqual(await ended, [0, null], told);
    const [first = '', last] = told.trim().split('\n');
    assert.ok(Number(first) < 10, told);
    assert.equal(last, 'all');
    if (!gone) assert.equal(taken, 10_000_000);
  }
});
