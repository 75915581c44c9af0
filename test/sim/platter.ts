/** What is really on a host's disk: read with plain SQL, past all code of the store. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface KeptMail {
  readonly account: string;
  readonly mailbox: number;
  readonly uid: number;
  readonly text: string;
}

export interface KeptMailbox {
  readonly id: number;
  readonly uidValidity: number;
  readonly uidNext: number;
}

export interface KeptRow {
  readonly id: string;
  readonly sender: string;
  readonly address: string;
  readonly held: boolean;
  readonly text: string;
}

export interface KeptEntry {
  readonly kind: string;
  readonly id: string;
  readonly facts: string;
}

export interface Platter {
  readonly mail: readonly KeptMail[];
  readonly mailboxes: readonly KeptMailbox[];
  readonly queue: readonly KeptRow[];
  readonly ledger: readonly KeptEntry[];
  /** What SQLite says of the file; `ok`. */
  readonly check: string;
}

/** A content as the database has it: the head, and the body unless that is in a file or empty. */
interface Inline {
  readonly head: Uint8Array;
  readonly bytes: Uint8Array | null;
}

interface KeptOctets extends Inline {
  readonly content: number;
  readonly name: string | null;
}

/** Reads everything in a directory of a store; one that nobody has open is recovered first. */
export function readPlatter(directory: string): Platter {
  const database = new DatabaseSync(join(directory, 'postern.db'));
  try {
    const all = <Row>(sql: string): Row[] => database.prepare(sql).all() as unknown as Row[];
    const texts = new Map<number, string>();
    for (const { content, name, ...octets } of all<KeptOctets>(CONTENTS)) {
      texts.set(content, textOf(octets) + (name === null ? '' : bodyFile(directory, name)));
    }
    const found = (content: number): string => texts.get(content) ?? '(no octets)';
    return {
      mail: all<Omit<KeptMail, 'text'> & { content: number }>(MAIL).map((row) => {
        return { ...row, text: found(row.content) };
      }),
      mailboxes: all<KeptMailbox>(MAILBOXES),
      queue: all<{ id: string; sender: string; address: string; held: number; content: number }>(
        QUEUE,
      ).map((row) => ({ ...row, held: row.held === 1, text: found(row.content) })),
      ledger: all<KeptEntry>(LEDGER),
      check: all<{ quick_check: string }>('PRAGMA quick_check(1)')[0]?.quick_check ?? 'no answer',
    };
  } finally {
    database.close();
  }
}

/** How many recipients wait. */
export function countQueue(directory: string): number {
  const database = new DatabaseSync(join(directory, 'postern.db'), { readOnly: true });
  try {
    const row = database.prepare('SELECT count(*) AS n FROM queue_recipients').get();
    return Number((row as { n: number }).n);
  } finally {
    database.close();
  }
}

const CONTENTS = `SELECT contents.id AS content, head, octets.bytes, files.name
  FROM contents LEFT JOIN octets ON octets.content = contents.id
  LEFT JOIN files ON files.id = contents.file`;
const MAIL = `SELECT accounts.address AS account, messages.mailbox, messages.uid, messages.content
  FROM messages JOIN mailboxes ON mailboxes.id = messages.mailbox
  JOIN accounts ON accounts.id = mailboxes.account ORDER BY messages.mailbox, messages.uid`;
const MAILBOXES = `SELECT id, uid_validity AS uidValidity, uid_next AS uidNext FROM mailboxes`;
const QUEUE = `SELECT queue_messages.id, reverse_path AS sender, address, held, content
  FROM queue_recipients JOIN queue_messages ON queue_messages.number = queue_recipients.message`;
const LEDGER = `SELECT kind, coalesce(queue_id, '') AS id, facts FROM ledger`;

function bodyFile(directory: string, name: string): string {
  const file = join(directory, 'spool', name);
  return existsSync(file) ? text(readFileSync(file)) : '(its file is gone)';
}

function textOf({ head, bytes }: Inline): string {
  return text(head) + (bytes === null ? '' : text(bytes));
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

/** The same of the mailboxes alone, while the host runs; undefined before it has any. */
export function readMailboxes(
  directory: string,
): { mailboxes: readonly KeptMailbox[]; mail: readonly KeptMail[] } | undefined {
  const file = join(directory, 'postern.db');
  if (!existsSync(file)) return undefined;
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const all = <Row>(sql: string): Row[] => database.prepare(sql).all() as unknown as Row[];
    const mail = all<Omit<KeptMail, 'text'> & Inline>(HEADS);
    return {
      mailboxes: all<KeptMailbox>(MAILBOXES),
      mail: mail.map(({ head, bytes, ...row }) => ({ ...row, text: textOf({ head, bytes }) })),
    };
  } finally {
    database.close();
  }
}

const HEADS = `SELECT '' AS account, messages.mailbox, messages.uid, head, octets.bytes
  FROM messages JOIN contents ON contents.id = messages.content
  LEFT JOIN octets ON octets.content = messages.content`;
