/** Everything there is after a crash: mailboxes as IMAP shows them, the next hop, queue, ledger. */

import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LineClient } from '../world/line-client.ts';
import type { Sink } from '../world/smtp-sink.ts';
import { waitFor } from '../world/postern.ts';
import { ACCOUNTS, PASSWORD, type Server } from './server.ts';

export interface Message {
  readonly uid: number;
  readonly modSeq: number;
  readonly flags: string;
  /** The harness' own name of the message. */
  readonly id: string;
  /** Of the octets as they were sent: without what was put above them on the way. */
  readonly hash: string;
  /** The server's name of it, for mail that came by SMTP. */
  readonly queueId: string | undefined;
  /** Set when this is a notice: about whom. */
  readonly notice: Notice | undefined;
}

export interface Notice {
  readonly failed: readonly string[];
  readonly delivered: readonly string[];
}

export interface Box {
  readonly account: string;
  readonly name: string;
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly highestModSeq: number;
  readonly messages: readonly Message[];
}

export interface World {
  readonly boxes: readonly Box[];
  readonly sink: readonly {
    readonly id: string;
    readonly hash: string;
    readonly recipient: string;
    readonly queueId: string;
  }[];
  readonly queue: readonly {
    readonly id: string;
    readonly recipient: string;
    readonly queueId: string;
  }[];
  /** Kind of the entry by queue id. */
  readonly ledger: ReadonlyMap<string, string>;
  /** What contradicts itself on disk or cannot be read. */
  readonly damage: readonly string[];
}

const MARK = 'X-Crash-Id: ';
const QUIET_MS = 15_000;

/** A message with its name in it; the same name gives the same octets. */
export function messageOf(id: string, octets = 0): string {
  const lines = [`${MARK}${id}`, 'From: load@load.test', 'To: you@crash.test'];
  lines.push('Date: Fri, 22 Nov 2024 10:00:00 +0000', `Message-ID: <${id}@load.test>`);
  lines.push(`Subject: ${id}`, '', `this is ${id}`, '..a line that begins with dots');
  for (let size = 0; size < octets; size += 72) {
    lines.push(hashOf(`${id} ${size}`).padEnd(70, '.'));
  }
  return `${lines.join('\r\n')}\r\n`;
}

export function hashOf(octets: string): string {
  return createHash('sha256').update(octets, 'latin1').digest('hex');
}

/** Waits until nothing is under way any more, then reads all of it. */
export async function observe(server: Server, kept: () => Sink['messages']): Promise<World> {
  const damage: string[] = [];
  const isQuiet = await waitFor(() => queueLength(server) === 0, QUIET_MS);
  if (!isQuiet) damage.push('the queue does not come to rest');
  const modSeqs = new Map<string, readonly [number, number]>();
  const disk = readDisk(server, modSeqs, damage);
  const boxes: Box[] = [];
  for (const account of ACCOUNTS)
    boxes.push(...(await readAccount(server, account, modSeqs, damage)));
  return { boxes, sink: readSink(kept()), ...disk, damage };
}

function queueLength(server: Server): number {
  return read(server, (all) => Number(all('SELECT count(*) AS n FROM queue_recipients')[0]?.['n']));
}

type All = (sql: string) => Record<string, unknown>[];

function read<Result>(server: Server, task: (all: All) => Result): Result {
  const file = path.join(server.data, 'postern.db');
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  try {
    return task((sql) => database.prepare(sql).all());
  } finally {
    database.close();
  }
}

/** The first is the mailbox' HIGHESTMODSEQ, under UID 0. */
function readDisk(
  server: Server,
  modSeqs: Map<string, readonly [number, number]>,
  damage: string[],
): Pick<World, 'queue' | 'ledger'> {
  return read(server, (all) => {
    all('BEGIN');
    const boxes = all('SELECT uid_validity AS v, 0 AS u, highest_modseq AS m FROM mailboxes');
    const messages = all(`SELECT uid_validity AS v, uid AS u, modseq AS m FROM messages
      JOIN mailboxes ON mailboxes.id = messages.mailbox`);
    for (const { v, u, m } of [...boxes, ...messages]) {
      modSeqs.set(`${String(v)} ${String(u)}`, [Number(u), Number(m)]);
    }
    damage.push(...contradictions(all), ...missingFiles(all, path.join(server.data, 'spool')));
    const queue = all(`SELECT queue_messages.id AS q, address AS a, bytes AS b
      FROM queue_recipients JOIN queue_messages ON queue_messages.number = message
      JOIN octets ON octets.content = queue_messages.content`);
    const ledger = all(`SELECT queue_id AS q, kind AS k FROM ledger
      WHERE kind IN ('accepted', 'notice') AND queue_id IS NOT NULL`);
    return {
      queue: queue.map(({ q, a, b }) => ({
        id: idOf(Buffer.from(b as Uint8Array).toString('latin1')),
        recipient: String(a),
        queueId: String(q),
      })),
      ledger: new Map(ledger.map(({ q, k }) => [String(q), String(k)])),
    };
  });
}

/** Counts that the store keeps, against what they count. */
const CONTRADICTIONS: readonly (readonly [what: string, sql: string])[] = [
  ['pages', `SELECT integrity_check AS x FROM pragma_integrity_check WHERE x <> 'ok'`],
  ['foreign keys', 'SELECT * FROM pragma_foreign_key_check'],
  [
    'references to contents',
    `SELECT id, refs FROM content_references AS contents WHERE refs <>
      (SELECT count(*) FROM messages WHERE content = contents.id) +
      (SELECT count(*) FROM queue_messages WHERE content = contents.id)`,
  ],
  [
    'references to files',
    'SELECT id FROM files WHERE refs <> (SELECT count(*) FROM contents WHERE file = files.id)',
  ],
  [
    'octets',
    `SELECT id FROM contents LEFT JOIN octets ON content = id
      WHERE length(head) <> head_bytes
        OR file IS NULL AND size_bytes <> head_bytes + coalesce(length(bytes), 0)`,
  ],
  [
    'messages of a mailbox',
    `SELECT id FROM mailboxes WHERE messages <>
      (SELECT count(*) FROM messages WHERE mailbox = mailboxes.id)`,
  ],
  [
    'queue messages without recipients',
    'SELECT id FROM queue_messages WHERE number NOT IN (SELECT message FROM queue_recipients)',
  ],
];

function contradictions(all: All): string[] {
  return CONTRADICTIONS.flatMap(([what, sql]) => {
    const rows = all(sql);
    return rows.length === 0 ? [] : [`${what}: ${JSON.stringify(rows.slice(0, 3))}`];
  });
}

function missingFiles(all: All, spool: string): string[] {
  return all('SELECT name AS n, size_bytes AS s FROM files').flatMap(({ n, s }) => {
    const file = path.join(spool, String(n));
    if (!existsSync(file)) return [`body file ${String(n)} is missing`];
    return statSync(file).size === s ? [] : [`body file ${String(n)} is too short`];
  });
}

async function readAccount(
  server: Server,
  account: string,
  modSeqs: ReadonlyMap<string, readonly [number, number]>,
  damage: string[],
): Promise<Box[]> {
  const client = await LineClient.connectTls(server.port('imaps'));
  try {
    await client.line();
    await command(client, `LOGIN ${account} "${PASSWORD}"`);
    const boxes: Box[] = [];
    for (const line of await command(client, 'LIST "" *')) {
      const name = /^\* LIST \([^)]*\) \S+ "?([^"]+)"?$/.exec(line)?.[1];
      if (name === undefined) continue;
      const selected = (await command(client, `EXAMINE "${name}"`)).join('\r\n');
      const uidValidity = Number(/UIDVALIDITY (\d+)/.exec(selected)?.[1]);
      const uidNext = Number(/UIDNEXT (\d+)/.exec(selected)?.[1]);
      const isEmpty = selected.includes('* 0 EXISTS');
      const text = isEmpty ? [] : await readAll(client, `${account} ${name}`, damage);
      const modSeqOf = (uid: number): number => modSeqs.get(`${uidValidity} ${uid}`)?.[1] ?? 0;
      const messages = fetched(text.join('\r\n')).map(({ uid, flags, octets }) => {
        return { uid, flags, modSeq: modSeqOf(uid), ...recognise(octets) };
      });
      boxes.push({ account, name, uidValidity, uidNext, highestModSeq: modSeqOf(0), messages });
    }
    return boxes;
  } finally {
    client.close();
  }
}

async function readAll(client: LineClient, at: string, damage: string[]): Promise<string[]> {
  const lines = await client.tagged('t0Xa9', 'UID FETCH 1:* (UID FLAGS BODY.PEEK[])');
  const last = lines.at(-1) ?? 'nothing';
  if (!last.startsWith('t0Xa9 OK')) damage.push(`${at} cannot be read: ${last}`);
  return lines;
}

/** Sends a command under a tag that no message holds; throws unless the answer is OK. */
export async function command(client: LineClient, text: string): Promise<string[]> {
  const lines = await client.tagged('t0Xa9', text);
  const last = lines.at(-1) ?? 'nothing';
  if (!last.startsWith('t0Xa9 OK')) throw new Error(`${text.slice(0, 60)}: ${last}`);
  return lines;
}

const FETCH = /\* \d+ FETCH \(/y;

/** Reads FETCH answers with UID, FLAGS and one literal each. */
function fetched(text: string): { uid: number; flags: string; octets: string }[] {
  const found: { uid: number; flags: string; octets: string }[] = [];
  for (let at = 0; at < text.length;) {
    FETCH.lastIndex = at;
    if (!FETCH.test(text)) {
      at = nextLine(text, at);
      continue;
    }
    const open = text.indexOf('}\r\n', at);
    const line = text.slice(at, open);
    const size = Number(/\{(\d+)$/.exec(line)?.[1]);
    const octets = text.slice(open + 3, open + 3 + size);
    const end = nextLine(text, open + 3 + size);
    const around = `${line} ${text.slice(open + 3 + size, end)}`;
    const flags = /FLAGS \(([^)]*)\)/.exec(around)?.[1] ?? '';
    const words = flags.split(' ').filter((flag) => flag !== '' && flag !== '\\Recent');
    found.push({
      uid: Number(/UID (\d+)/.exec(around)?.[1]),
      flags: words.sort().join(' '),
      octets,
    });
    at = end;
  }
  return found;
}

function nextLine(text: string, at: number): number {
  const end = text.indexOf('\r\n', at);
  return end === -1 ? text.length : end + 2;
}

function recognise(octets: string): Pick<Message, 'id' | 'hash' | 'queueId' | 'notice'> {
  const head = octets.slice(0, octets.indexOf('\r\n\r\n'));
  const queueId = /^Received: [\s\S]*?\sid ([0-9A-Z]{12,})/m.exec(octets)?.[1];
  const start = octets.indexOf(MARK);
  const id = idOf(octets);
  if (!/^Content-Type: multipart\/report/im.test(head)) {
    return { id, hash: hashOf(octets.slice(start)), queueId, notice: undefined };
  }
  return { id, hash: hashOf(octets), queueId, notice: noticeIn(octets) };
}

function noticeIn(octets: string): Notice {
  const about = (action: string): string[] =>
    octets.split('\r\n\r\n').flatMap((group) => {
      const isThat = new RegExp(`^Action: ${action}`, 'im').test(group);
      return isThat ? (/^Final-Recipient: rfc822; ?(\S+)/im.exec(group)?.[1] ?? []) : [];
    });
  return { failed: about('failed'), delivered: about('delivered') };
}

function idOf(octets: string): string {
  return /^X-Crash-Id: (\S+)/m.exec(octets)?.[1] ?? `unknown ${hashOf(octets).slice(0, 8)}`;
}

function readSink(messages: Sink['messages']): World['sink'] {
  return messages.flatMap(({ recipients, content }) => {
    const { id, hash, queueId } = recognise(content);
    return recipients.map((line) => {
      const recipient = /<([^>]+)>/.exec(line)?.[1] ?? line;
      return { id, hash, recipient, queueId: queueId ?? 'none' };
    });
  });
}
