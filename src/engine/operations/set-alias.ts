/** setAlias: an address that stands for others; an alias that is there gets the new targets. */

import {
  directoryChanged,
  domainOf,
  hasAccount,
  hasDomain,
  targetKey,
} from '../steps/directory.ts';
import type { Run } from '../steps/step.ts';

export const setAlias: Run<'setAlias'> = (step, { address, targets }) => {
  const domain = domainOf(address);
  if (!hasDomain(step, domain)) return { kind: 'no-such-domain' };
  if (hasAccount(step, address)) return { kind: 'exists' };
  step.sql.run('INSERT OR IGNORE INTO aliases VALUES (?, ?)', address, domain);
  step.sql.run('DELETE FROM alias_targets WHERE alias = ?', address);
  targets.forEach((target, position) => {
    step.sql.run(
      'INSERT INTO alias_targets VALUES (?, ?, ?, ?)',
      address,
      position,
      target,
      targetKey(target),
    );
  });
  directoryChanged(step);
  return { kind: 'done' };
};
