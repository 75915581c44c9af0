/** The heap's pages go back to the system, and nobody else gets hold of the collector. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

const MODULE = JSON.stringify(new URL('settle.ts', import.meta.url).href);

/** Octets of heap that a process holds behind a start that left much garbage. */
function heldBytes(last: string): number {
  const program = `
    import { settle } from ${MODULE};
    let kept;
    for (let turn = 0; turn < 40; turn += 1) {
      kept = Array.from({ length: 50_000 }, (_, at) => ({ at, text: 'x' + at }));
    }
    ${last}
    if (typeof globalThis.gc === 'function') throw new Error('gc is left behind');
    console.log(process.memoryUsage().heapTotal);
  `;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program]);
  return Number(output.toString());
}

test('what starting left is given back', () => {
  const before = heldBytes('kept = settle;');
  const after = heldBytes('kept = undefined; settle();');
  assert.ok(after < before / 3, `${before} -> ${after}`);
});
