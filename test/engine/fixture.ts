/** Stores in temporary directories for the engine's tests, and mail to put into them. */

import * as fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { AccountId, Domain, MailboxId, QueueId, SessionId } from '#base/brand.ts';
import { utf8 } from '#base/bytes.ts';
import type { JsonObject } from '#base/json.ts';
import { openStore } from '#engine/store.ts';
import type { EngineStore } from '#engine/sqlite.ts';
import type { StoreOptions } from '#engine/options.ts';
import type { Content, MessageFacts } from '#store/content.ts';
import type { Credentials } from '#store/directory.ts';
import type { LedgerEntry } from '#store/ledger.ts';
import type { Mailbox } from '#store/mail.ts';
import type {
  Acceptance,
  AppendedMessage,
  Delivery,
  NewRecipient,
  OperationName,
  Operations,
  Relay,
} from '#store/operations.ts';

export const START_MS = 1_800_000_000_000;
export const DEMO = 'demo.test' as Domain;

/** A store that is closed and removed at the end of its test. */
export interface TestStore {
  readonly store: EngineStore;
  readonly directory: string;
  readonly clock: { nowMs: number };
  readonly events: { readonly name: string; readonly fields: JsonObject | undefined }[];
  /** Writes, and gives the result without its proof. */
  do<K extends OperationName>(
    operation: K,
    input: Operations[K]['input'],
  ): Promise<Operations[K]['result']>;
  /** The first row of what the database really holds. */
  row(sql: string): unknown[] | undefined;
  reopen(options?: Partial<StoreOptions>): Promise<TestStore>;
}

interface Context {
  after(task: () => Promise<void> | void): void;
}

/** A temporary directory that goes with its test. */
export function temporaryDirectory(context: Context): string {
  const directory = mkdtempSync(join(tmpdir(), 'postern-engine-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export async function openTestStore(
  context: Context,
  options: Partial<StoreOptions> = {},
): Promise<TestStore> {
  const directory = options.directory ?? join(temporaryDirectory(context), 'store');
  const clock = { nowMs: START_MS };
  const events: TestStore['events'] = [];
  const store = await openStore({
    thread: false,
    foreignCheckMs: 0,
    log: { event: (_level, name, fields) => void events.push({ name, fields }) },
    now: () => clock.nowMs,
    ...options,
    directory,
  });
  context.after(() => store.close());
  return {
    store,
    directory,
    clock,
    events,
    do: async (operation, input) => (await store.write(operation, input)).result,
    row: (sql) => readRow(join(directory, 'postern.db'), sql),
    reopen: async (changed = {}) => {
      await store.close();
      return openTestStore(context, { ...options, ...changed, directory });
    },
  };
}

function readRow(file: string, sql: string): unknown[] | undefined {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const row = database.prepare(sql).get();
    return row === undefined ? undefined : Object.values(row);
  } finally {
    database.close();
  }
}

export const CREDENTIALS: Credentials = {
  password: '$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA',
  scram: {
    salt: utf8('salt'),
    iterations: 4096,
    storedKey: utf8('stored'),
    serverKey: utf8('server'),
  },
};

/** An account in a domain that is made when missing. */
export async function addAccount(test: TestStore, address = 'alice@demo.test'): Promise<AccountId> {
  await test.do('addDomain', { name: address.slice(address.lastIndexOf('@') + 1) as Domain });
  const { nowMs } = test.clock;
  const added = await test.do('addAccount', { address, credentials: CREDENTIALS, nowMs });
  if (added.kind !== 'added') throw new Error(added.kind);
  return added.account;
}

export async function mailboxOf(
  test: TestStore,
  account: AccountId,
  name = 'INBOX',
): Promise<Mailbox> {
  const mailbox = await test.store.mail.mailbox(account, name);
  if (mailbox === undefined) throw new Error(`no mailbox ${name}`);
  return mailbox;
}

export function factsOf(changes: Partial<MessageFacts> = {}): MessageFacts {
  return {
    envelope: utf8('(NIL "hello")'),
    bodyStructure: utf8('("text" "plain")'),
    parts: '{"type":"text"}',
    sentMs: START_MS - 1000,
    messageId: undefined,
    references: [],
    subject: 'hello',
    from: 'bob@x.example',
    to: 'alice@demo.test',
    cc: '',
    bcc: '',
    ...changes,
  };
}

export function contentOf(body: string | Uint8Array = 'text\r\n', subject = 'hello'): Content {
  const head = utf8(`Subject: ${subject}\r\n\r\n`);
  return { head, body: typeof body === 'string' ? utf8(body) : body };
}

export function messageOf(changes: Partial<AppendedMessage> = {}): AppendedMessage {
  return {
    flags: [],
    internalDateMs: START_MS,
    content: contentOf(),
    facts: factsOf(),
    ...changes,
  };
}

export function deliveryOf(account: AccountId, changes: Partial<Delivery> = {}): Delivery {
  return { ...messageOf(), account, mailbox: 'INBOX', ...changes };
}

export function acceptanceOf(id: string, changes: Partial<Acceptance> = {}): Acceptance {
  return {
    id: id as QueueId,
    atMs: START_MS,
    deliveries: [],
    relay: undefined,
    ledger: [],
    ...changes,
  };
}

export function recipientOf(address: string, changes: Partial<NewRecipient> = {}): NewRecipient {
  return {
    address,
    domain: address.slice(address.lastIndexOf('@') + 1) as Domain,
    notify: undefined,
    originalRecipient: undefined,
    nextMs: START_MS,
    expiresMs: START_MS + 5 * 86_400_000,
    ...changes,
  };
}

export function relayOf(recipients: readonly NewRecipient[], changes: Partial<Relay> = {}): Relay {
  return {
    envelope: {
      reversePath: 'alice@demo.test',
      ret: undefined,
      envelopeId: undefined,
      smtpUtf8: false,
      body: '7bit',
    },
    content: contentOf(),
    submitter: 'alice@demo.test',
    recipients,
    ...changes,
  };
}

export function entryOf(changes: {
  readonly kind?: LedgerEntry['kind'];
  readonly atMs?: number;
  readonly session?: string;
  readonly queueId?: string;
  readonly keys?: readonly string[];
  readonly facts?: JsonObject;
}): LedgerEntry {
  return {
    atMs: changes.atMs ?? START_MS,
    kind: changes.kind ?? 'session',
    session: changes.session as SessionId | undefined,
    queueId: changes.queueId as QueueId | undefined,
    keys: changes.keys ?? [],
    facts: changes.facts ?? {},
  };
}

/** Puts `count` messages into a mailbox. */
export async function fill(test: TestStore, mailbox: MailboxId, count: number): Promise<void> {
  const messages = Array.from({ length: count }, (_, at) =>
    messageOf({ content: contentOf(`message ${at + 1}\r\n`) }),
  );
  await test.do('append', { mailbox, messages });
}

/** Ascending closed ranges that do not overlap, within these sizes. */
export function rangesUpTo(most: {
  readonly gap: number;
  readonly width: number;
  readonly ranges: number;
}): fc.Arbitrary<[number, number][]> {
  const step = fc.tuple(fc.nat({ max: most.gap }), fc.nat({ max: most.width }));
  return fc.array(step, { maxLength: most.ranges }).map((steps) => {
    let at = 0;
    return steps.map(([gap, width]) => {
      const from = at + gap + 1;
      at = from + width;
      return [from, at] as [number, number];
    });
  });
}
