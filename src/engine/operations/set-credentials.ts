/** setCredentials: another password for an account. */

import { directoryChanged } from '../steps/directory.ts';
import type { Run } from '../steps/step.ts';

const UPDATE = `UPDATE accounts SET password = ?, scram_salt = ?, scram_iterations = ?,
  scram_stored_key = ?, scram_server_key = ? WHERE id = ? AND password = coalesce(?, password)`;
const FIND = 'SELECT id FROM accounts WHERE id = ?';

export const setCredentials: Run<'setCredentials'> = (step, { account, credentials, instead }) => {
  const { scram } = credentials;
  const changed = step.sql.run(
    UPDATE,
    credentials.password,
    scram.salt,
    scram.iterations,
    scram.storedKey,
    scram.serverKey,
    account,
    instead ?? null,
  );
  if (changed === 0) {
    const found = step.sql.row<[number]>(FIND, account);
    return { kind: found === undefined ? 'no-such-account' : 'other-password' };
  }
  directoryChanged(step);
  return { kind: 'done' };
};
