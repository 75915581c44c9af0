/** setCatchAll: who receives what no other address of a domain takes. */

import { directoryChanged, targetKey } from '../steps/directory.ts';
import type { Run } from '../steps/step.ts';

export const setCatchAll: Run<'setCatchAll'> = (step, { name, address }) => {
  const changed = step.sql.run(
    'UPDATE domains SET catch_all = ?, catch_all_key = ? WHERE name = ?',
    address ?? null,
    address === undefined ? null : targetKey(address),
    name,
  );
  if (changed === 0) return { kind: 'no-such-domain' };
  directoryChanged(step);
  return { kind: 'done' };
};
