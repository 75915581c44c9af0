/** The auditor reads another server's configuration, and holds it against what a server does. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { run } from '../interop/tools.ts';
import { POSTERN, WholeServer } from '../world/whole-server.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'postern-audit-'));
const file = path.join(folder, 'main.cf');
let server: WholeServer;

before(async () => {
  writeFileSync(file, 'myhostname = mx.old.test\nsmtpd_tls_security_level = none\n');
  server = await WholeServer.start();
});

after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

test('the file alone: findings with their lines, and a status for scripts', async () => {
  const { code, output } = await run(POSTERN, ['audit', '--config', file, '--json']);
  assert.equal(code, 1, output);
  const report = JSON.parse(output) as {
    findings: { id: string; confidence: string; details: { line: number | null } }[];
  };
  const found = report.findings.find(({ id }) => id === 'configuration.postfix-tls-in-off');
  assert.equal(found?.confidence, 'confirmed');
  assert.equal(found.details.line, 2);
});

test('--only and --skip choose among the checks of a file too', async () => {
  const judged = async (...choice: string[]): Promise<readonly string[]> => {
    const { output } = await run(POSTERN, ['audit', '--config', file, '--json', ...choice]);
    const report = JSON.parse(output) as { findings: { id: string }[] };
    return report.findings.map(({ id }) => id);
  };
  const id = 'configuration.postfix-tls-in-off';
  assert.deepEqual(await judged('--only', id), [id]);
  const others = await judged('--skip', id);
  assert.ok(others.length > 0 && !others.includes(id));
  const none = await run(POSTERN, ['audit', '--config', file, '--only', 'smuggling']);
  assert.equal(none.code, 3);
  assert.match(none.output, /leave no check of the file/);
});

test('the file beside a server that is stricter than it says', async () => {
  const target = `127.0.0.1:${server.port('smtp')}`;
  const { output } = await run(POSTERN, ['audit', target, '--config', file, '--quiet']);
  assert.match(output, /Mail comes in without TLS +weak +fine .*the server is stricter/);
});

for (const [what, args] of [
  ['no target', []],
  ['a file in no known language', ['--config', path.join(folder, 'unknown')]],
] as const) {
  test(`${what} is a mistake of the command line, told as one`, async () => {
    writeFileSync(path.join(folder, 'unknown'), 'hello\n');
    const { code, output } = await run(POSTERN, ['audit', ...args]);
    assert.equal(code, 3);
    assert.match(output, /no target|no language/);
  });
}
