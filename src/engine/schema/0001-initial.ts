/** Schema 1: directory, mailboxes and messages, contents, queue, ledger. */

import type { Migration } from './migration.ts';

/*
 * Rows that every delivery touches are kept short: `messages` has no octets and no text, so that
 * the flags of 20,000 messages are a scan of some 300 pages. `octets` stands apart from
 * `contents`, so that a changed reference count does not rewrite the octets. `ledger_keys` is
 * written behind, a bucket of entries at a time and in order: five random pages a message would
 * cost more than the message.
 */
export const initial: Migration = {
  number: 1,
  name: 'initial',
  sql: `
CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
INSERT INTO meta VALUES ('uidvalidity', 0), ('directory', 1), ('indexed', 0);

CREATE TABLE domains (
  name TEXT PRIMARY KEY,
  catch_all TEXT,
  catch_all_key TEXT
) WITHOUT ROWID, STRICT;

CREATE TABLE accounts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  address TEXT NOT NULL UNIQUE,
  domain TEXT NOT NULL REFERENCES domains (name),
  enabled INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  password TEXT NOT NULL,
  scram_salt BLOB NOT NULL,
  scram_iterations INTEGER NOT NULL,
  scram_stored_key BLOB NOT NULL,
  scram_server_key BLOB NOT NULL
) STRICT;
CREATE INDEX accounts_domain ON accounts (domain);

CREATE TABLE aliases (
  address TEXT PRIMARY KEY,
  domain TEXT NOT NULL REFERENCES domains (name)
) WITHOUT ROWID, STRICT;
CREATE INDEX aliases_domain ON aliases (domain);

CREATE TABLE alias_targets (
  alias TEXT NOT NULL REFERENCES aliases (address) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  target TEXT NOT NULL,
  target_key TEXT NOT NULL,
  PRIMARY KEY (alias, position)
) WITHOUT ROWID, STRICT;
CREATE INDEX alias_targets_key ON alias_targets (target_key);

CREATE TABLE mailboxes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account INTEGER NOT NULL REFERENCES accounts (id),
  name TEXT NOT NULL,
  uid_validity INTEGER NOT NULL,
  uid_next INTEGER NOT NULL DEFAULT 1,
  highest_modseq INTEGER NOT NULL DEFAULT 1,
  messages INTEGER NOT NULL DEFAULT 0,
  unseen INTEGER NOT NULL DEFAULT 0,
  deleted INTEGER NOT NULL DEFAULT 0,
  size_bytes INTEGER NOT NULL DEFAULT 0,
  special_use TEXT,
  forgotten_modseq INTEGER NOT NULL DEFAULT 0,
  UNIQUE (account, name),
  CONSTRAINT uid_exhausted CHECK (uid_next <= 4294967295)
) STRICT;

CREATE TABLE subscriptions (
  account INTEGER NOT NULL REFERENCES accounts (id),
  name TEXT NOT NULL,
  PRIMARY KEY (account, name)
) WITHOUT ROWID, STRICT;

CREATE TABLE keywords (
  mailbox INTEGER NOT NULL REFERENCES mailboxes (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (mailbox, number)
) WITHOUT ROWID, STRICT;

CREATE TABLE messages (
  mailbox INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  keywords TEXT,
  internal_ms INTEGER NOT NULL,
  saved_ms INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  head_bytes INTEGER NOT NULL,
  content INTEGER NOT NULL,
  thread INTEGER NOT NULL,
  PRIMARY KEY (mailbox, uid)
) WITHOUT ROWID, STRICT;
CREATE INDEX messages_modseq ON messages (mailbox, modseq);

CREATE TABLE tombstones (
  mailbox INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  keywords TEXT,
  internal_ms INTEGER NOT NULL,
  saved_ms INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  head_bytes INTEGER NOT NULL,
  content INTEGER NOT NULL,
  thread INTEGER NOT NULL,
  expunged_ms INTEGER NOT NULL,
  PRIMARY KEY (mailbox, uid)
) WITHOUT ROWID, STRICT;
CREATE INDEX tombstones_modseq ON tombstones (mailbox, modseq);
CREATE INDEX tombstones_expunged ON tombstones (expunged_ms);

CREATE TABLE files (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  size_bytes INTEGER NOT NULL,
  checks BLOB NOT NULL,
  refs INTEGER NOT NULL
) STRICT;

CREATE TABLE contents (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  size_bytes INTEGER NOT NULL,
  head_bytes INTEGER NOT NULL,
  refs INTEGER NOT NULL,
  freed_ms INTEGER,
  checked INTEGER NOT NULL,
  file INTEGER REFERENCES files (id),
  sent_ms INTEGER,
  subject TEXT,
  sender TEXT,
  recipient TEXT,
  copied TEXT,
  blind TEXT,
  envelope BLOB,
  body_structure BLOB,
  parts TEXT
) STRICT;
CREATE INDEX contents_free ON contents (freed_ms) WHERE refs = 0;
CREATE INDEX contents_file ON contents (file) WHERE file IS NOT NULL;

CREATE TABLE octets (
  content INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL
) STRICT;

CREATE TABLE threads (
  account INTEGER NOT NULL,
  hash INTEGER NOT NULL,
  thread INTEGER NOT NULL,
  PRIMARY KEY (account, hash)
) WITHOUT ROWID, STRICT;

CREATE TABLE queue_messages (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  reverse_path TEXT NOT NULL,
  ret TEXT,
  envelope_id TEXT,
  smtp_utf8 INTEGER NOT NULL,
  body TEXT NOT NULL,
  content INTEGER NOT NULL,
  head_bytes INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  accepted_ms INTEGER NOT NULL,
  submitter TEXT
) STRICT;

CREATE TABLE queue_recipients (
  message INTEGER NOT NULL REFERENCES queue_messages (number) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  address TEXT NOT NULL,
  domain TEXT NOT NULL,
  notify TEXT,
  original_recipient TEXT,
  held INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  delay_notified INTEGER NOT NULL DEFAULT 0,
  last_answer TEXT,
  PRIMARY KEY (message, number)
) WITHOUT ROWID, STRICT;
CREATE INDEX queue_due ON queue_recipients (next_ms) WHERE held = 0;
CREATE INDEX queue_domain ON queue_recipients (domain);

CREATE TABLE ledger (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,
  session TEXT,
  queue_id TEXT,
  keys TEXT NOT NULL,
  facts TEXT NOT NULL
) STRICT;

CREATE TABLE ledger_keys (
  bucket INTEGER NOT NULL,
  hash INTEGER NOT NULL,
  entry INTEGER NOT NULL,
  PRIMARY KEY (bucket, hash, entry)
) WITHOUT ROWID, STRICT;

PRAGMA user_version = 1;
`,
};
