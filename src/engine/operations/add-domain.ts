/** addDomain: a domain whose mail ends here. */

import { directoryChanged, hasDomain } from '../steps/directory.ts';
import type { Run } from '../steps/step.ts';

export const addDomain: Run<'addDomain'> = (step, { name }) => {
  if (hasDomain(step, name)) return { kind: 'exists' };
  step.sql.run('INSERT INTO domains (name) VALUES (?)', name);
  directoryChanged(step);
  return { kind: 'done' };
};
