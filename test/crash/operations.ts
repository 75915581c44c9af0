/** The steps that are cut: each is made ready, then taken, and its outcome goes into the history. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { LineClient } from '../world/line-client.ts';
import { waitFor } from '../world/postern.ts';
import type { Outcome, SentRecipient } from './history.ts';
import * as model from './model.ts';
import type { Model } from './model.ts';
import { DOMAIN, PASSWORD } from './server.ts';
import type { Stage } from './stage.ts';
import { command, hashOf, messageOf } from './world.ts';

export interface Operation {
  readonly name: string;
  /** What is on the wire when it is acknowledged. */
  readonly reply: string;
  /** Opens connections and does everything that may be done before; returns the step itself. */
  prepare(stage: Stage, account?: string): Promise<Step>;
}

export interface Step {
  /** Takes it; resolves when its client knows, or knows that it never will. */
  take(): Promise<Outcome>;
  /** The last line of it. */
  readonly answer: string;
  close(): void;
}

const SMTP_REPLY = '^250 2\\.[06]\\.0 ';
const IMAP_REPLY = '^t0Xa9 OK';
const LARGE = 300_000;
const NOTICE_MS = 4_000;

const ANN: SentRecipient = { address: `ann@${DOMAIN}`, kind: 'local' };
const BEN: SentRecipient = { address: `ben@${DOMAIN}`, kind: 'local' };
const FAR: SentRecipient = { address: 'you@far.test', kind: 'far' };
const REFUSED: SentRecipient = { address: 'refused@far.test', kind: 'refused' };

export const SMTP_OPERATIONS: readonly Operation[] = [
  smtp('delivery', [ANN]),
  smtp('acceptance', [ANN, BEN, FAR]),
  smtp('large', [ANN, BEN], { octets: LARGE }),
  smtp('chunks', [BEN], { octets: 5_000, chunks: true }),
  smtp('confirmed', [{ ...BEN, isConfirmed: true }], { parameters: ' NOTIFY=SUCCESS' }),
  smtp('attempt', [FAR], { isOver: (stage, id) => inSink(stage, id) }),
  smtp('large-attempt', [FAR], { octets: LARGE, isOver: (stage, id) => inSink(stage, id) }),
  smtp('notice', [REFUSED], { isOver: (stage) => idle(stage) }),
];

export const IMAP_OPERATIONS: readonly Operation[] = [
  imap('append', (tree) => Promise.resolve(appending(tree.stage, 'INBOX', 0))),
  imap('append-large', (tree) => Promise.resolve(appending(tree.stage, 'INBOX', LARGE))),
  imap('store', async (tree) => {
    await tree.fill('INBOX', 3);
    const isSet = tree.model().get('INBOX')?.messages[0]?.flags.includes('\\Flagged') !== true;
    return {
      select: 'INBOX',
      text: `STORE 1:* ${isSet ? '+' : '-'}FLAGS (\\Flagged)`,
      change: model.flagged('INBOX', '\\Flagged', isSet),
    };
  }),
  imap('copy', async (tree) => {
    await tree.fill('INBOX', 2);
    return {
      select: 'INBOX',
      text: 'COPY 1:2 Archive',
      change: model.copied('INBOX', 'Archive', 2),
    };
  }),
  imap('move', async (tree) => {
    await tree.fill('INBOX', 2);
    return { select: 'INBOX', text: 'MOVE 1:2 Junk', change: model.moved('INBOX', 'Junk', 2) };
  }),
  imap('expunge', async (tree) => {
    await tree.fill('INBOX', 3);
    await tree.must({
      select: 'INBOX',
      text: 'STORE 1:* +FLAGS (\\Deleted)',
      change: model.flagged('INBOX', '\\Deleted', true),
    });
    return { select: 'INBOX', text: 'EXPUNGE', change: model.expunged('INBOX') };
  }),
  imap('create', (tree) => {
    const name = tree.stage.name('made');
    return Promise.resolve({ text: `CREATE ${name}`, change: model.created(name) });
  }),
  imap('delete', async (tree) => {
    const name = await tree.mailbox();
    return { text: `DELETE ${name}`, change: model.deleted(name) };
  }),
  imap('rename', async (tree) => {
    const name = await tree.mailbox();
    const to = tree.stage.name('named');
    return { text: `RENAME ${name} ${to}`, change: model.renamed(name, to) };
  }),
];

export const POP3_OPERATION: Operation = { name: 'quit', reply: '^\\+OK', prepare: prepareQuit };

/** Each of them. */
export const OPERATIONS: readonly Operation[] = [
  ...SMTP_OPERATIONS,
  ...IMAP_OPERATIONS,
  POP3_OPERATION,
];

interface SmtpOptions {
  readonly octets?: number;
  readonly chunks?: boolean;
  /** After RCPT. */
  readonly parameters?: string;
  /** Waits for what goes on after the reply. */
  readonly isOver?: (stage: Stage, id: string) => Promise<boolean>;
}

function smtp(
  name: string,
  recipients: readonly SentRecipient[],
  options: SmtpOptions = {},
): Operation {
  const { octets, chunks = false, parameters = '', isOver } = options;
  return {
    name,
    reply: SMTP_REPLY,
    prepare: async (stage) => {
      const client = await stage.connect('smtp');
      const id = stage.name(name);
      const sender = `ann@${DOMAIN}`;
      const text = messageOf(id, octets);
      await good(client.reply());
      await good(ask(client, 'EHLO load.test'));
      await good(ask(client, `MAIL FROM:<${sender}>`));
      for (const { address } of recipients) {
        await good(ask(client, `RCPT TO:<${address}>${parameters}`));
      }
      if (!chunks) await good(ask(client, 'DATA'));
      const step = {
        answer: '',
        close: () => client.close(),
        take: async () => {
          const sent = stage.history.sending({ id, hash: hashOf(text), sender, recipients });
          if (chunks) client.send(`BDAT ${text.length} LAST\r\n${text}`);
          else client.send(`${text.replaceAll('\r\n.', '\r\n..')}.\r\n`);
          step.answer = (await quietly(client.reply()))?.at(-1) ?? '';
          sent.outcome = stage.history.outcome(outcomeOf(step.answer, '2', /^[45]/));
          sent.queueId = /\b[0-9A-Z]{12,}\b/.exec(step.answer)?.[0];
          if (sent.outcome === 'ok' && !stage.history.isDoomed) await isOver?.(stage, id);
          return sent.outcome;
        },
      };
      return step;
    },
  };
}

/** Until the notice must have been written. */
async function idle(stage: Stage): Promise<boolean> {
  await waitFor(() => !stage.server.isUp(), 100);
  return true;
}

/** Until the next hop has it and the server had time to write that down. */
async function inSink(stage: Stage, id: string): Promise<boolean> {
  const has = (): boolean =>
    stage.surroundings.sink.messages.some(({ content }) => content.includes(`X-Crash-Id: ${id}\r`));
  const came = await waitFor(() => has() || !stage.server.isUp(), NOTICE_MS);
  await sleep(30);
  return came;
}

/** An IMAP session that knows what its tree looks like. */
class Tree {
  readonly stage: Stage;
  readonly account: string;
  answer = '';
  readonly #client: LineClient;

  constructor(stage: Stage, account: string, client: LineClient) {
    this.stage = stage;
    this.account = account;
    this.#client = client;
  }

  model(): Model {
    return this.stage.history.model(this.account);
  }

  async select(name: string | undefined): Promise<void> {
    if (name !== undefined) await command(this.#client, `SELECT ${name}`);
  }

  async take({ text, change }: Change): Promise<Outcome> {
    const lines = await quietly(this.#client.tagged('t0Xa9', text));
    this.answer = lines?.at(-1) ?? '';
    const outcome = outcomeOf(this.answer, 't0Xa9 OK', /^t0Xa9 (?:NO|BAD)/);
    this.stage.history.changed(this.account, outcome, change);
    return outcome;
  }

  /** A step that only makes ready. */
  async must(change: Change): Promise<void> {
    await this.select(change.select);
    const outcome = await this.take(change);
    if (outcome !== 'ok') throw new Error(`${change.text.slice(0, 60)}: ${outcome}`);
  }

  /** Puts messages into a mailbox until it has so many. */
  async fill(name: string, count: number): Promise<void> {
    const there = this.model().get(name)?.messages.length ?? 0;
    for (let number = there; number < count; number += 1) {
      await this.must(appending(this.stage, name, 0));
    }
  }

  /** A mailbox of its own with two messages. */
  async mailbox(): Promise<string> {
    const name = this.stage.name('box');
    await this.must({ text: `CREATE ${name}`, change: model.created(name) });
    await this.fill(name, 2);
    return name;
  }
}

/** A command and what it does to the tree. */
interface Change {
  readonly select?: string;
  readonly text: string;
  readonly change: (model: Model) => Model;
}

function appending(stage: Stage, name: string, octets: number): Change {
  const id = stage.name('put');
  const text = messageOf(id, octets);
  return {
    text: `APPEND ${name} {${text.length}+}\r\n${text}`,
    change: model.appended(name, id),
  };
}

function imap(name: string, make: (tree: Tree) => Promise<Change>): Operation {
  return {
    name,
    reply: IMAP_REPLY,
    prepare: async (stage, account = `ida@${DOMAIN}`) => {
      const client = await stage.connect('imaps');
      await client.line();
      await command(client, `LOGIN ${account} "${PASSWORD}"`);
      const tree = new Tree(stage, account, client);
      const change = await make(tree);
      await tree.select(change.select);
      return {
        close: () => client.close(),
        take: () => tree.take(change),
        get answer() {
          return tree.answer;
        },
      };
    },
  };
}

/** Two of at least three messages go when the session ends. */
async function prepareQuit(stage: Stage): Promise<Step> {
  const account = `pop@${DOMAIN}`;
  const filler = await stage.connect('imaps');
  await filler.line();
  await command(filler, `LOGIN ${account} "${PASSWORD}"`);
  await new Tree(stage, account, filler).fill('INBOX', 3);
  filler.close();
  const client = await stage.connect('pop3s');
  await client.line();
  for (const text of [`USER ${account}`, `PASS ${PASSWORD}`, 'DELE 1', 'DELE 2']) {
    client.send(`${text}\r\n`);
    const answer = await client.line();
    if (answer?.startsWith('+OK') !== true) throw new Error(`${text}: ${answer}`);
  }
  const step = {
    answer: '',
    close: () => client.close(),
    take: async () => {
      client.send('QUIT\r\n');
      step.answer = (await quietly(client.line())) ?? '';
      const outcome = outcomeOf(step.answer, '+OK', /^-ERR/);
      stage.history.changed(account, outcome, model.removed('INBOX', 2));
      return outcome;
    },
  };
  return step;
}

/** SIGTERM after some work: the log is copied into the database and put away. */
export const STOP: Operation = {
  name: 'stop',
  reply: '',
  prepare: async (stage) => {
    for (const operation of SMTP_OPERATIONS.slice(0, 3)) {
      const step = await operation.prepare(stage);
      await step.take();
      step.close();
    }
    return {
      answer: '',
      close: () => undefined,
      take: async () => {
        process.kill(stage.server.pid, 'SIGTERM');
        return (await stage.server.ended(10_000)) ? 'ok' : 'unknown';
      },
    };
  },
};

function outcomeOf(answer: string, good: string, bad: RegExp): Outcome {
  if (answer.startsWith(good)) return 'ok';
  return bad.test(answer) ? 'failed' : 'unknown';
}

/** An answer that does not come is no error here: it is what is looked for. */
async function quietly<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch {
    return undefined;
  }
}

async function good(answer: Promise<string[]>): Promise<void> {
  const line = (await answer).at(-1) ?? 'nothing';
  if (!/^[23]/.test(line)) throw new Error(`refused: ${line}`);
}

function ask(client: LineClient, line: string): Promise<string[]> {
  client.send(`${line}\r\n`);
  return client.reply();
}
