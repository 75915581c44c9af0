/** removeDomain: refused while accounts, aliases, catch-alls or queued mail still use it. */

import { directoryChanged, hasDomain } from '../steps/directory.ts';
import type { Run, Step } from '../steps/step.ts';

const ACCOUNT = 'SELECT address FROM accounts WHERE domain = ? LIMIT 1';
const ALIAS = 'SELECT address FROM aliases WHERE domain = ? LIMIT 1';
const TARGET = `SELECT alias FROM alias_targets
  WHERE substr(target_key, -length(?1) - 1) = '@' || ?1 LIMIT 1`;
const CATCH_ALL = `SELECT name FROM domains
  WHERE name <> ?1 AND substr(catch_all_key, -length(?1) - 1) = '@' || ?1 LIMIT 1`;
const RECIPIENT = `SELECT id FROM queue_messages WHERE number =
  (SELECT message FROM queue_recipients WHERE domain = ? LIMIT 1)`;
const SENDER = `SELECT id FROM queue_messages
  WHERE lower(substr(reverse_path, -length(?1) - 1)) = '@' || ?1 LIMIT 1`;

export const removeDomain: Run<'removeDomain'> = (step, { name }) => {
  if (!hasDomain(step, name)) return { kind: 'no-such-domain' };
  const by = userOf(step, name);
  if (by !== undefined) return { kind: 'in-use', by };
  step.sql.run('DELETE FROM domains WHERE name = ?', name);
  directoryChanged(step);
  return { kind: 'done' };
};

/** Who uses the domain, for people. */
function userOf(step: Step, name: string): string | undefined {
  const uses: readonly (readonly [sql: string, what: string])[] = [
    [ACCOUNT, 'account'],
    [ALIAS, 'alias'],
    [TARGET, 'alias'],
    [CATCH_ALL, 'catch-all of'],
    [RECIPIENT, 'queued message'],
    [SENDER, 'queued message'],
  ];
  for (const [sql, what] of uses) {
    const found = step.sql.row<[string]>(sql, name)?.[0];
    if (found !== undefined) return `${what} ${found}`;
  }
  return undefined;
}
