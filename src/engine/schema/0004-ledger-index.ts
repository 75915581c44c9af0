/** Schema 4: the keys of the ledger in few sorted pieces instead of a row for each. */

import type { Migration } from './migration.ts';

/*
 * A bucket tells of the entries from its number on, in parts by the first bits of the hashes:
 * some five rows an entry cost more than everything else that is written for a message. What
 * was in the old buckets is put into new ones behind.
 */
export const ledgerIndex: Migration = {
  number: 4,
  name: 'ledger-index',
  sql: `
DROP TABLE ledger_keys;
CREATE TABLE ledger_index (
  bucket INTEGER NOT NULL,
  part INTEGER NOT NULL,
  keys BLOB NOT NULL,
  PRIMARY KEY (bucket, part)
) WITHOUT ROWID, STRICT;
UPDATE meta SET value = 0 WHERE name = 'indexed';

PRAGMA user_version = 4;
`,
};
