/** The law of plantings can fail: what was never shown, or never denied, is named. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { noteShown } from '../world/shown.ts';
import { unplanted } from './planted.ts';

test('a check that no test planted, or that has no twin, is named', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-shown-'));
  try {
    noteShown(
      [
        { id: 'a.both', confidence: 'likely' },
        { id: 'a.both', confidence: 'not-observed' },
        { id: 'a.twin-only', confidence: 'not-observed' },
        { id: 'a.alone', confidence: 'confirmed' },
        { id: 'a.alone', confidence: 'not-observed', details: { applicable: false } },
        { id: 'a.unclear', confidence: 'inconclusive' },
      ],
      folder,
    );
    const notes = readdirSync(folder).flatMap((name) =>
      readFileSync(path.join(folder, name), 'utf8').split('\n'),
    );
    assert.deepEqual(unplanted(['a.both', 'a.twin-only', 'a.alone', 'a.unclear'], notes), [
      'a.twin-only: never shown',
      'a.alone: never denied',
      'a.unclear: never shown, never denied',
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
