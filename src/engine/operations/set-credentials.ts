/** setCredentials: another password for an account. */

import { directoryChanged } from '../steps/directory.ts';
import type { Run } from '../steps/step.ts';

const UPDATE = `UPDATE accounts SET password = ?, scram_salt = ?, scram_iterations = ?,
  scram_stored_key = ?, scram_server_key = ? WHERE id = ?`;

export const setCredentials: Run<'setCredentials'> = (step, { account, credentials }) => {
  const { scram } = credentials;
  const changed = step.sql.run(
    UPDATE,
    credentials.password,
    scram.salt,
    scram.iterations,
    scram.storedKey,
    scram.serverKey,
    account,
  );
  if (changed === 0) return { kind: 'no-such-account' };
  directoryChanged(step);
  return { kind: 'done' };
};
