/** removeAlias: an address that stands for others goes. */

import { directoryChanged } from '../steps/directory.ts';
import type { Run } from '../steps/step.ts';

export const removeAlias: Run<'removeAlias'> = (step, { address }) => {
  if (step.sql.run('DELETE FROM aliases WHERE address = ?', address) === 0) {
    return { kind: 'no-such-alias' };
  }
  directoryChanged(step);
  return { kind: 'done' };
};
