/** A changed configuration is attacked before it is taken: refused, warned of, or remembered. */

import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { run } from '../interop/tools.ts';
import { startPostern } from '../world/postern.ts';
import { configuration, POSTERN } from '../world/whole-server.ts';

/** A prefix too short, which no check of the file can know: strangers beside 10.0.0.0/8 relay. */
const WIDE = 'mynetworks = ["11.0.0.0/8"]';

/** The attack may take a minute on a busy machine. */
const SLOW = { timeoutMs: 90_000 };

/** Tables of the world's configuration come last: settings go before them. */
function config(...lines: readonly string[]): string {
  const usual = configuration().replace('mynetworks = []\n', '');
  return `${lines.join('\n')}\n${usual}`;
}

suite('the self-attack', () => {
  let folder: string;
  const data = (): string => path.join(folder, 'data');
  /** Where scratch servers live: nobody else's, so that what is left behind is seen. */
  const scratch = (): string => path.join(folder, 'scratch');
  const accepted = (): string => path.join(data(), 'accepted-configuration');

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'postern-self-'));
    mkdirSync(scratch());
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Starts, notes how long that took and what was logged, and stops. */
  async function started(toml: string): Promise<{ readonly ms: number; readonly log: string }> {
    const before = performance.now();
    const server = await startPostern({ config: toml, folder, env: { TMPDIR: scratch() } });
    const ms = performance.now() - before;
    await server.stop();
    return { ms, log: server.output() };
  }

  async function refused(
    toml: string,
  ): Promise<{ readonly code: number; readonly output: string }> {
    const file = path.join(folder, 'refused.toml');
    writeFileSync(file, toml);
    const ready = path.join(folder, 'never');
    const args = ['serve', '--config', file, '--data', data(), '--ready-file', ready];
    const { code, output } = await run(POSTERN, args, { env: { TMPDIR: scratch() }, ...SLOW });
    assert.ok(!existsSync(ready));
    return { code: code ?? -1, output };
  }

  test('a configuration in which a stranger relays is refused, with the finding and its cure', async () => {
    const file = path.join(folder, 'wide.toml');
    writeFileSync(file, config(WIDE));
    const plain = await run(POSTERN, ['config', 'check', file], {});
    assert.equal(plain.code, 0, `only the attack shows it: ${plain.output}`);
    const { code, output } = await refused(config(WIDE));
    assert.equal(code, 78, output);
    assert.match(output, /as a stranger from 11\.0\.0\.66/);
    assert.match(output, /critical: .*\(relay\.n2, on smtp\).*Cure: mynetworks/);
    assert.ok(!existsSync(accepted()), 'what was refused is not remembered');
    const left = readdirSync(scratch()).filter((name) => name.startsWith('postern-rehearsal-'));
    assert.deepEqual(left, []);
  });

  test('a good one is taken and remembered: the next start is not delayed, a change is attacked', async () => {
    const good = config('self_audit = "refuse"', 'mynetworks = []');
    const first = await started(good);
    assert.match(first.log, /self-audit-passed/);
    const digest = readFileSync(accepted(), 'latin1');
    // The best of three each: what else the machine does falls on single starts.
    const [again, off] = [[Infinity], [Infinity]];
    const never = config('self_audit = "off"', 'mynetworks = []');
    for (let turn = 0; turn < 3 && Math.min(...again) >= Math.min(...off) + 500; turn += 1) {
      off.push((await started(never)).ms);
      const { ms, log } = await started(good);
      assert.doesNotMatch(log, /self-audit/);
      again.push(ms);
    }
    const told = `${again.join(' ')} ms, without it ${off.join(' ')} ms`;
    assert.ok(Math.min(...again) < Math.min(...off) + 500, told);
    assert.equal((await refused(config(WIDE))).code, 78);
    assert.equal(readFileSync(accepted(), 'latin1'), digest, 'the old one can be started again');
    assert.doesNotMatch((await started(good)).log, /self-audit/);
  });

  test('with self_audit = "warn" it is taken, and the log says what was found', async () => {
    const { log } = await started(config('self_audit = "warn"', WIDE));
    assert.match(log, /"id":"relay\.n2".*"event":"self-audit-found"/);
  });

  test('config check --audit attacks by hand and remembers nothing', async () => {
    const before = readFileSync(accepted(), 'latin1');
    const file = path.join(folder, 'wide.toml');
    writeFileSync(file, config(WIDE));
    const wide = await run(POSTERN, ['config', 'check', '--audit', file, '--json'], SLOW);
    assert.equal(wide.code, 78);
    const { good, problems } = JSON.parse(wide.output);
    assert.equal(good, false);
    assert.ok(problems.some(({ cause }: { cause: string }) => cause.includes('relay.n2')));
    writeFileSync(file, config('mynetworks = []'));
    const fine = await run(POSTERN, ['config', 'check', '--audit', file], SLOW);
    assert.equal(fine.code, 0, fine.output);
    assert.equal(readFileSync(accepted(), 'latin1'), before);
  });
});
