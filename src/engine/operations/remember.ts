/** remember: what policy noticed, and the end of what was not seen for long. */

import type { Run } from '../steps/step.ts';

const UPSERT = `INSERT INTO memories (kind, key, first_ms, last_ms, times) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (kind, key) DO UPDATE SET
  first_ms = excluded.first_ms, last_ms = excluded.last_ms, times = excluded.times`;
const FORGET = `DELETE FROM memories WHERE kind = ? AND key IN
  (SELECT key FROM memories WHERE kind = ? AND last_ms < ? ORDER BY last_ms LIMIT ? + 0)`;

export const remember: Run<'remember'> = (step, { kind, entries, forgetBeforeMs }) => {
  for (const { key, firstMs, lastMs, times } of entries) {
    step.sql.run(UPSERT, kind, key, firstMs, lastMs, times);
  }
  step.sql.run(FORGET, kind, kind, forgetBeforeMs, step.limits.sweptRows);
  return { kind: 'done' };
};
