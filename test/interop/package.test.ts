/** Postern as an installed package: below node_modules, where Node strips no types by itself. */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../laws/tree.ts';
import { startPostern, waitFor } from '../world/postern.ts';
import { run, without } from './tools.ts';

test(
  'the packed program starts and stops from node_modules',
  { skip: without('npm', 'tar') },
  async (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'postern-package-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const modules = path.join(folder, 'node_modules');
    mkdirSync(path.join(modules, 'postern'), { recursive: true });
    const packed = await run('npm', ['pack', '--silent', '--pack-destination', folder], {
      cwd: ROOT,
    });
    assert.equal(packed.code, 0, packed.output);
    const archive = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
    const into = ['-xzf', path.join(folder, archive), '-C', path.join(modules, 'postern')];
    await run('tar', [...into, '--strip-components=1']);
    for (const name of readdirSync(path.join(ROOT, 'node_modules'))) {
      if (!name.startsWith('.')) {
        symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name));
      }
    }
    const program = path.join(modules, 'postern/bin/postern');
    const server = await startPostern({ program });
    // The ready file is there a moment before the words are.
    const words = /^Postern is ready/m;
    assert.ok(await waitFor(() => words.test(server.output()), 10_000), server.output());
    assert.doesNotMatch(server.output(), /warning/i);
    assert.equal(await server.stop(), 0);
    server.remove();
    const { output } = await run(program, ['version']);
    assert.match(output, /^postern \d/);
  },
);
