/** Access tables on disk: missing and broken ones are told at the start, changes are seen. */

import assert from 'node:assert/strict';
import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Log } from '#base/world.ts';
import { virtualClock } from '#test/world/virtual-clock.ts';
import { CommandError } from '../exit.ts';
import { inFolder, run } from '../testing.ts';
import { demoSettings } from './demo.ts';
import { accessTables, requireTables } from './tables.ts';

test('a missing or broken table ends the start with its list, its file and its line', async () => {
  await inFolder(async (folder) => {
    const file = join(folder, 'clients');
    const settings = {
      ...demoSettings(folder),
      smtpd_client_restrictions: [`check_client_access ${file}`],
    };
    const cause = (): string => {
      try {
        requireTables(settings);
        return '';
      } catch (thrown) {
        assert.ok(thrown instanceof CommandError);
        return thrown.message;
      }
    };
    assert.match(cause(), /smtpd_client_restrictions.*names a file that cannot be read.*clients/);
    writeFileSync(file, '# fine\na.test OK\nb.test FILTER x\n');
    assert.match(cause(), /in line 3 has the action "FILTER"/);
    writeFileSync(file, Uint8Array.of(0xff, 0xfe));
    assert.match(cause(), /not UTF-8/);
    writeFileSync(file, 'a.test OK\n');
    assert.equal(cause(), '');
  });
});

test('config check reads the tables too, from the directory of the file', async () => {
  await inFolder(async (folder) => {
    const file = join(folder, 'postern.toml');
    writeFileSync(
      file,
      'myhostname = "mx.a.test"\nsmtpd_helo_restrictions = ["check_helo_access names"]\n',
    );
    const bad = await run(['config', 'check', '--config', file]);
    assert.equal(bad.status, 78);
    assert.match(bad.out, /smtpd_helo_restrictions.*check_helo_access.*cannot be read/);
    writeFileSync(join(folder, 'names'), 'a.test REJECT\n');
    const good = await run(['config', 'check', '--config', file]);
    assert.equal(good.status, 0, good.out);
  });
});

test('a changed table counts within a second; a broken one does not, and is told', async () => {
  await inFolder(async (folder) => {
    const file = join(folder, 'clients');
    const clock = virtualClock();
    const events: string[] = [];
    const log: Log = { event: (_level, name) => void events.push(name) };
    writeFileSync(file, '192.0.2.1 REJECT\n');
    const table = accessTables(clock, log)(file);
    assert.ok(typeof table !== 'string');
    const kind = (): string => table().client('192.0.2.1')?.action.kind ?? 'none';
    const change = (text: string, seconds: number): void => {
      writeFileSync(file, text);
      utimesSync(file, seconds, seconds);
    };
    assert.equal(kind(), 'refuse');
    change('192.0.2.1 OK\n', 1_000);
    assert.equal(kind(), 'refuse', 'not looked at yet');
    clock.pass(1_000);
    assert.equal(kind(), 'permit');
    change('192.0.2.1 WHAT\n', 2_000);
    clock.pass(1_000);
    assert.equal(kind(), 'permit');
    assert.deepEqual(events, ['access-table-kept']);
  });
});
