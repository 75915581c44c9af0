/** Schema 3: signatures of messages, in blocks, for SEARCH. */

import type { Migration } from './migration.ts';

/*
 * A block tells of the messages of its mailbox from `first_uid` to `last_uid`; what lies in no
 * block was not indexed yet. Blocks follow one another and are never changed.
 */
export const search: Migration = {
  number: 3,
  name: 'search',
  sql: `
CREATE TABLE search_blocks (
  mailbox INTEGER NOT NULL,
  last_uid INTEGER NOT NULL,
  first_uid INTEGER NOT NULL,
  checked INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (mailbox, last_uid)
) WITHOUT ROWID, STRICT;

PRAGMA user_version = 3;
`,
};
