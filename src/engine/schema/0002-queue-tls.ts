/** Schema 2: what a queued message says of TLS on its way (RFC 8689 4.1). */

import type { Migration } from './migration.ts';

export const queueTls: Migration = {
  number: 2,
  name: 'queue-tls',
  sql: `
ALTER TABLE queue_messages ADD COLUMN tls TEXT;

PRAGMA user_version = 2;
`,
};
