/** Schema 7: what is new in the table of threads, in the order of arrival. */

import type { Migration } from './migration.ts';

/*
 * The keys of `threads` are hashes: each message changed another page of it. What is new is
 * written here, one row for a commit, and sorted into `threads` behind, many at a time. `keys`
 * are numbers of 8 octets, little end first, three for each: account, hash, thread. The number
 * of a row is never used twice, so that a process sees what another one added or took away.
 */
export const threadNews: Migration = {
  number: 7,
  name: 'thread-news',
  sql: `
CREATE TABLE thread_news (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  keys BLOB NOT NULL
) STRICT;

PRAGMA user_version = 7;
`,
};
