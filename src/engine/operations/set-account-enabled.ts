/** setAccountEnabled: lets an account in, or keeps it out; its mail stays. */

import { directoryChanged } from '../steps/directory.ts';
import type { Run } from '../steps/step.ts';

export const setAccountEnabled: Run<'setAccountEnabled'> = (step, { account, enabled }) => {
  const changed = step.sql.run(
    'UPDATE accounts SET enabled = ? WHERE id = ?',
    enabled ? 1 : 0,
    account,
  );
  if (changed === 0) return { kind: 'no-such-account' };
  directoryChanged(step);
  return { kind: 'done' };
};
