/** Schema 5: what policy remembers across restarts: who came before, who was written to. */

import type { Migration } from './migration.ts';

/** Keys are digests: the table tells nobody's correspondents to who reads the file. */
export const memories: Migration = {
  number: 5,
  name: 'memories',
  sql: `
CREATE TABLE memories (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  times INTEGER NOT NULL,
  PRIMARY KEY (kind, key)
) WITHOUT ROWID, STRICT;
CREATE INDEX memories_age ON memories (kind, last_ms);

PRAGMA user_version = 5;
`,
};
