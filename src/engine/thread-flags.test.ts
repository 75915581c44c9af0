/** Threads know the cache of compiled modules where the program does; a process for each case. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const FLAGS = JSON.stringify(new URL('./thread-flags.ts', import.meta.url).href);
const TELL = `import { getCompileCacheDir } from 'node:module';
  process._rawDebug(getCompileCacheDir() !== undefined);`;
const THREAD = JSON.stringify(`data:text/javascript,${encodeURIComponent(TELL)}`);

/** Whether a thread that is started with `flags` has the cache: what the program prints. */
function hasCache(flags: string, enabled: boolean): string {
  const cache = mkdtempSync(join(tmpdir(), 'postern-flags-'));
  const program = `
    import { enableCompileCache } from 'node:module';
    import { Worker } from 'node:worker_threads';
    import { threadFlags } from ${FLAGS};
    ${enabled ? 'enableCompileCache();' : ''}
    const worker = new Worker(new URL(${THREAD}), { execArgv: ${flags} });
    worker.on('exit', () => process.exit());`;
  const { NODE_COMPILE_CACHE: _, ...env } = process.env;
  try {
    const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program];
    const merged = ['-c', '"$0" "$@" 2>&1', process.execPath, ...args];
    const place = enabled ? { TMPDIR: cache } : {};
    return execFileSync('/bin/sh', merged, { env: { ...env, ...place }, encoding: 'utf8' }).trim();
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

test('a thread has the cache of compiled modules when the program has it', () => {
  assert.equal(hasCache('threadFlags()', true), 'true');
  assert.equal(hasCache('threadFlags()', false), 'false');
});

test('control: without the flags it has none', () => {
  assert.equal(hasCache('[]', true), 'false');
});
