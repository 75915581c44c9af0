/** Sockets that systemd opens: the server takes them over instead of binding the port itself. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { without } from '../interop/tools.ts';
import { LineClient } from '../world/line-client.ts';
import { freePort } from '../world/ports.ts';
import { waitFor } from '../world/postern.ts';
import { POSTERN } from '../world/whole-server.ts';

const ACTIVATE = 'systemd-socket-activate';

test('a socket that systemd opened is served', { skip: without(ACTIVATE) }, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-inherited-'));
  const port = await freePort();
  const config = path.join(folder, 'postern.toml');
  writeFileSync(
    config,
    [
      'myhostname = "mx.inherited.test"',
      'self_audit = "off"',
      `data_directory = "${folder}/data"`,
      `smtp_listen = ["127.0.0.1:${port}"]`,
      ...['submission', 'submissions', 'imap', 'imaps', 'pop3', 'pop3s'].map(
        (n) => `${n}_listen = []`,
      ),
    ].join('\n'),
  );
  const child = spawn(ACTIVATE, ['-l', `127.0.0.1:${port}`, POSTERN, 'serve', '--config', config], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (output += bytes.toString()));
  try {
    // The first connection starts the server; it waits in the socket that is open already.
    assert.ok(await waitFor(() => /Listening on/.test(output), 5_000), output);
    const client = await LineClient.connect(port, '127.0.0.1', 20_000);
    assert.match((await client.line()) ?? '', /^220 mx\.inherited\.test/, output);
    client.close();
    assert.doesNotMatch(output, /in use/);
  } finally {
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('close', resolve));
    rmSync(folder, { recursive: true, force: true });
  }
});
