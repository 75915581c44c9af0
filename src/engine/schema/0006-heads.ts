/** Schema 6: heads apart from bodies, and references counted only where there are several. */

import type { Migration } from './migration.ts';

/*
 * A content is written once and never changed. Its head lies behind the facts in the same row, so
 * that header fields are read without the body and facts without the head. Most contents have
 * one reference all their life: only others are counted (`shares`), and a content that lost the
 * last one is remembered in `freed`, both narrow tables. `head_checked` is missing in rows from
 * before: then the whole content is read to check its head.
 */
export const heads: Migration = {
  number: 6,
  name: 'heads',
  sql: `
CREATE TABLE contents_apart (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  size_bytes INTEGER NOT NULL,
  head_bytes INTEGER NOT NULL,
  checked INTEGER NOT NULL,
  head_checked INTEGER,
  file INTEGER REFERENCES files (id),
  sent_ms INTEGER,
  subject TEXT,
  sender TEXT,
  recipient TEXT,
  copied TEXT,
  blind TEXT,
  envelope BLOB,
  body_structure BLOB,
  parts TEXT,
  head BLOB NOT NULL
) STRICT;
INSERT INTO contents_apart SELECT id, size_bytes, head_bytes, checked, NULL, file, sent_ms,
  subject, sender, recipient, copied, blind, envelope, body_structure, parts,
  substr(bytes, 1, head_bytes) FROM contents JOIN octets ON content = id ORDER BY id;
DELETE FROM sqlite_sequence WHERE name = 'contents_apart';
INSERT INTO sqlite_sequence SELECT 'contents_apart', seq FROM sqlite_sequence
  WHERE name = 'contents';

CREATE TABLE shares (
  content INTEGER PRIMARY KEY,
  refs INTEGER NOT NULL
) STRICT;
INSERT INTO shares SELECT id, refs FROM contents WHERE refs > 1;
CREATE INDEX shares_over ON shares (refs) WHERE refs < 2;

CREATE TABLE freed (
  content INTEGER PRIMARY KEY,
  freed_ms INTEGER NOT NULL
) STRICT;
INSERT INTO freed SELECT id, freed_ms FROM contents WHERE refs = 0;
CREATE INDEX freed_since ON freed (freed_ms);

UPDATE octets SET bytes = substr(octets.bytes, head_bytes + 1)
  FROM contents WHERE contents.id = octets.content;
DELETE FROM octets WHERE length(bytes) = 0;

DROP TABLE contents;
ALTER TABLE contents_apart RENAME TO contents;
CREATE INDEX contents_file ON contents (file) WHERE file IS NOT NULL;

CREATE VIEW content_references AS
  SELECT id, CASE WHEN freed_ms IS NULL THEN coalesce(refs, 1) ELSE 0 END AS refs, freed_ms
  FROM contents LEFT JOIN shares ON shares.content = id LEFT JOIN freed ON freed.content = id;

PRAGMA user_version = 6;
`,
};
