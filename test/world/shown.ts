/** What tests made the checks say, written down: a law demands that each was shown and denied. */

import { appendFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Confidence } from '#audit/finding.ts';

/** Where it is written, a file a process; without it nothing is. */
export const SHOWN = 'POSTERN_SHOWN';

export interface Said {
  readonly id: string;
  readonly confidence: Confidence;
  readonly details?: { readonly applicable?: unknown };
}

/**
 * Notes what probes said of something that a test planted, or of its cured twin. What was not
 * applicable there is no twin.
 */
export function noteShown(said: Iterable<Said>, folder = process.env[SHOWN] ?? ''): void {
  if (folder === '') return;
  const lines = new Set<string>();
  for (const { id, confidence, details } of said) {
    if (details?.applicable === false || confidence === 'inconclusive') continue;
    lines.add(`${id} ${confidence === 'not-observed' ? 'denied' : 'shown'}\n`);
  }
  mkdirSync(folder, { recursive: true });
  appendFileSync(path.join(folder, String(process.pid)), [...lines].join(''));
}
