/** The stall detector can fail: a server that computes too long is seen, one that waits is not. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isStall } from '../stall.ts';
import { startPostern, waitFor } from '../world/postern.ts';

/** Blocks the main thread of a server for so long, each time it gets SIGUSR2. */
function blocker(ms: number, how: 'compute' | 'wait'): string {
  // By CPU, not by the clock: on a busy machine 80 ms on the wall are no work at all.
  const loop = `const%20from=process.cpuUsage();while(process.cpuUsage(from).user<${ms * 1_000});`;
  const wait = `Atomics.wait(new%20Int32Array(new%20SharedArrayBuffer(4)),0,0,${ms});`;
  return `--import=data:text/javascript,process.on('SIGUSR2',()=>{${how === 'wait' ? wait : loop}})`;
}

test('a loop of 80 ms in the server is seen, and stop says so', async () => {
  const server = await startPostern({ env: { NODE_OPTIONS: blocker(80, 'compute') } });
  try {
    await started();
    server.child.kill('SIGUSR2');
    assert.ok(await waitFor(() => server.stalls().length > 0, 10_000), 'the stall was noted');
    const [stall] = server.stalls();
    assert.ok((stall?.cpuMs ?? 0) > 50, JSON.stringify(stall));
    await assert.rejects(server.stop(), /one input blocked the server for over 50 ms/);
    const again = await server.restart();
    assert.deepEqual(again.stalls(), [], 'a restart begins anew');
    assert.equal(await again.stop(), 0);
  } finally {
    await server.stop('SIGKILL');
    server.remove();
  }
});

test('who waits for the machine is not blamed', async () => {
  const server = await startPostern({ env: { NODE_OPTIONS: blocker(120, 'wait') } });
  try {
    await started();
    server.child.kill('SIGUSR2');
    await waitFor(() => server.stalls().length > 0, 400);
    assert.deepEqual(server.stalls(), []);
    assert.equal(await server.stop(), 0);
  } finally {
    await server.stop('SIGKILL');
    server.remove();
  }
});

test('many small inputs in one turn are no stall, one large one among them is', () => {
  assert.equal(isStall({ wallMs: 60, cpuMs: 60, events: 1 }), true);
  assert.equal(isStall({ wallMs: 60, cpuMs: 60, events: 40 }), false);
  assert.equal(isStall({ wallMs: 160, cpuMs: 120, events: 40 }), true);
  assert.equal(isStall({ wallMs: 500, cpuMs: 20, events: 1 }), false);
});

/** It says that it is ready in the turn in which it starts, which does not count. */
function started(): Promise<void> {
  return sleep(200);
}
