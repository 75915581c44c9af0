/** Every fuzz target for a moment, from fixed seeds; and the fuzzer itself, which must be able to fail. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { latin1 } from '#base/bytes.ts';
import { failure, hunt, literal } from './hunt.ts';
import { measure, shape } from './linear.ts';
import { SHAPES } from './shapes/all.ts';
import { must, type Target } from './target.ts';
import * as registry from './targets/index.ts';

const EXECUTIONS = 60;

describe('fuzz', () => {
  for (const target of Object.values(registry)) {
    test(`${target.name}: ${EXECUTIONS} cases`, async () => {
      const options = { seed: 20_261_122, budgetMs: 20_000, maxExecutions: EXECUTIONS };
      const { found } = await hunt(target, options);
      assert.equal(found && literal(found), undefined);
    });
  }

  test('what is broken is found, made small, and fails again when it is replayed', async () => {
    const broken: Target = {
      name: 'broken',
      generate: (chance) => chance.octets(200),
      run: ({ octets }) => must(!latin1(octets).includes('\r\n'), 'no line ends'),
    };
    const { found } = await hunt(broken, { seed: 1, budgetMs: 10_000 });
    assert.deepEqual(found && latin1(found.one.octets), '\r\n');
    assert.match(literal(found!), /octets = Buffer\.from\("\\r\\n", 'latin1'\)/);
    assert.match((await failure(broken, found!.one)) ?? '', /no line ends/);
  });

  test('what takes too long is found', async () => {
    const slow: Target = {
      name: 'slow',
      generate: () => Buffer.from('x'),
      run() {
        for (const from = process.threadCpuUsage(); process.threadCpuUsage(from).user < 80_000;);
      },
    };
    const { found } = await hunt(slow, { seed: 1, budgetMs: 10_000, maxExecutions: 1 });
    assert.match(found?.why ?? '', /takes \d+ ms of CPU/);
  });
});

describe('complexity', () => {
  // All of them run in `npm run fuzz`; these are those that a test may take time for.
  for (const one of SHAPES.filter((_, at) => at % 3 === 0)) {
    test(`linear: ${one.parser}: ${one.name}`, async () => {
      const { ratio, mostMs, passed } = await measure(one);
      assert.ok(passed, `time(4n)/time(n) is ${ratio.toFixed(1)}, ${mostMs.toFixed(1)} ms`);
    });
  }

  test('a quadratic reader is seen', async () => {
    const quadratic = shape('control', 'quadratic', 4_000, (n) => 'x'.repeat(n), slowly);
    assert.equal((await measure(quadratic)).passed, false);
  });
});

function slowly(text: string): number {
  let sum = 0;
  for (let at = 0; at < text.length; at++) sum += text.slice(at).lastIndexOf('y');
  return sum;
}
