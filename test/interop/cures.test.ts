/** The auditor's cures: real servers read every line of them, and some of each are tried on weak servers. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { run, without } from './tools.ts';

const SERVERS = ['postfix', 'exim', 'opensmtpd', 'sendmail', 'dovecot'];
const RUN = path.join(import.meta.dirname, '../lab/cures/run.ts');
const cache =
  process.env['POSTERN_LAB'] ??
  path.join(process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'), 'postern-lab');
// Some minutes and a gigabyte once, so not for everybody who runs the tests: the lab prepares them.
const missing = SERVERS.filter((name) => !existsSync(path.join(cache, 'layers', `${name}.ready`)));
const skip =
  without('unshare', 'ip', 'mount', 'openssl') ||
  (process.getuid?.() === 0 ? false : 'needs root') ||
  (missing.length === 0 ? false : `not prepared (test/lab/install.sh): ${missing.join(', ')}`);

test('every cure with lines is read by the server that it is for', { skip }, async () => {
  const { code, output } = await run(process.execPath, [RUN, '--syntax'], { timeoutMs: 200_000 });
  assert.equal(code, 0, output);
  for (const name of SERVERS) {
    assert.match(output, new RegExp(`^ok: ${name} without a cure$`, 'm'));
    // The control: what is no configuration is refused.
    assert.match(output, new RegExp(`^ok: ${name} nonsense$`, 'm'));
    assert.match(output, new RegExp(`^${name}: [1-9]\\d+ cures with lines$`, 'm'));
  }
});

test(
  'weaknesses of real servers are found, gone with the cure, and mail goes on',
  { skip },
  async () => {
    const { code, output } = await run(process.execPath, [RUN, '--quick'], { timeoutMs: 200_000 });
    assert.equal(code, 0, output);
    const [, trials = '0', cures = '0'] =
      /^(\d+) checks tried with (\d+) cures/m.exec(output) ?? [];
    assert.ok(Number(trials) >= 60 && Number(cures) >= 25, output);
  },
);
