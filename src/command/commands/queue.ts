/** `postern queue`: the mail that waits to leave, and what to do with it by hand. */

import type { QueueId } from '#base/brand.ts';
import type { QueuedMessage } from '#store/queue.ts';
import type { Command, Context } from '../command.ts';
import { answer, argument, option, withStore } from '../command.ts';
import { CommandError, EXIT } from '../exit.ts';
import { columns, harmless } from '../io.ts';
import { duration, moment } from '../times.ts';

type Action = 'retry' | 'hold' | 'release' | 'drop';

const ID = { name: 'id', summary: 'a queue id, as `postern queue list` shows it' };
const IDS = { name: 'ids', summary: 'queue ids', many: true };
const LISTED = 1_000;

export const queue: Command = {
  name: 'queue',
  summary: 'list, show, retry, hold, release and drop waiting mail',
  commands: [
    {
      name: 'list',
      summary: 'list waiting mail, oldest first',
      options: [{ flags: '--limit <count>', summary: `at most so many (${LISTED})` }],
      run: list,
    },
    { name: 'show', summary: 'show one message with its recipients', arguments: [ID], run: show },
    { name: 'retry', summary: 'try messages now', arguments: [IDS], run: by('retry') },
    { name: 'hold', summary: 'keep messages from being tried', arguments: [IDS], run: by('hold') },
    { name: 'release', summary: 'let held messages go on', arguments: [IDS], run: by('release') },
    {
      name: 'drop',
      summary: 'remove messages without telling their senders',
      arguments: [IDS],
      run: by('drop'),
    },
  ],
};

async function list(context: Context): Promise<void> {
  const limit = limitOf(context);
  await withStore(context, async (store) => {
    const messages = await store.queue.list(limit);
    const size = await store.queue.size();
    answer(context, messages.map(plain), () => {
      if (messages.length === 0) return 'the queue is empty\n';
      const rest = size.messages - messages.length;
      const table = columns(messages.flatMap((message) => rows(message, context.now())));
      return `${table}${rest > 0 ? `and ${rest} more\n` : ''}`;
    });
  });
}

async function show(context: Context): Promise<void> {
  const id = argument(context, 'id') as QueueId;
  await withStore(context, async (store) => {
    const message = await store.queue.message(id);
    if (message === undefined) throw noSuchMessage(id);
    answer(context, plain(message), () => details(message, context.now()));
  });
}

function by(action: Action): (context: Context) => Promise<void> {
  return async (context) => {
    await withStore(context, async (store) => {
      for (const text of context.rest) {
        const id = text as QueueId;
        const nowMs = context.now();
        const ledger = [
          {
            atMs: nowMs,
            kind: 'admin' as const,
            session: undefined,
            queueId: id,
            keys: [],
            facts: { command: `queue ${action}` },
          },
        ];
        const { result } = await store.write('queueCommand', { id, action, nowMs, ledger });
        if (result.kind === 'no-such-message') throw noSuchMessage(id);
        answer(context, { id, action }, () => `${harmless(id)}: ${DONE[action]}\n`);
      }
    });
  };
}

const DONE: Readonly<Record<Action, string>> = {
  retry: 'will be tried now',
  hold: 'is held',
  release: 'goes on',
  drop: 'is dropped',
};

function rows(message: QueuedMessage, nowMs: number): string[][] {
  const from = message.envelope.reversePath === '' ? '<>' : message.envelope.reversePath;
  const age = duration(nowMs - message.acceptedMs);
  const head = [message.id, `${kib(message.sizeBytes)} KiB`, age, `from ${harmless(from)}`];
  return message.recipients.map((recipient, index) => [
    ...(index === 0 ? head : ['', '', '', '']),
    `to ${harmless(recipient.address)}`,
    recipient.state === 'held' ? 'held' : due(recipient.nextMs, nowMs),
    harmless(recipient.lastAnswer ?? '', 120),
  ]);
}

function details(message: QueuedMessage, nowMs: number): string {
  const { envelope } = message;
  const lines = [
    ['id', message.id],
    ['from', envelope.reversePath === '' ? '<>' : envelope.reversePath],
    ['submitted by', message.submitter ?? 'nobody who logged in'],
    ['accepted', `${moment(message.acceptedMs)} (${duration(nowMs - message.acceptedMs)} ago)`],
    ['size', `${message.sizeBytes} octets`],
    ['envelope id', envelope.envelopeId ?? 'none'],
  ].map(([name, value]) => `${(name ?? '').padEnd(14)}${harmless(value ?? '')}\n`);
  for (const recipient of message.recipients) {
    const state = recipient.state === 'held' ? 'held' : `next try ${due(recipient.nextMs, nowMs)}`;
    lines.push(
      `\nto            ${harmless(recipient.address)}\n`,
      `              ${state}, ${recipient.attempts} attempts so far, ` +
        `given up ${moment(recipient.expiresMs)}\n`,
    );
    if (recipient.lastAnswer !== undefined) {
      lines.push(`              ${harmless(recipient.lastAnswer)}\n`);
    }
  }
  return lines.join('');
}

/** For JSON: dates as text, sizes as numbers. */
function plain(message: QueuedMessage): object {
  return {
    id: message.id,
    from: message.envelope.reversePath,
    submitter: message.submitter ?? null,
    accepted: new Date(message.acceptedMs).toISOString(),
    size: message.sizeBytes,
    recipients: message.recipients.map((recipient) => ({
      address: recipient.address,
      state: recipient.state,
      attempts: recipient.attempts,
      next: new Date(recipient.nextMs).toISOString(),
      expires: new Date(recipient.expiresMs).toISOString(),
      lastAnswer: recipient.lastAnswer ?? null,
    })),
  };
}

function due(atMs: number, nowMs: number): string {
  return atMs <= nowMs ? 'now' : `in ${duration(atMs - nowMs)}`;
}

function kib(octets: number): string {
  return String(Math.max(1, Math.ceil(octets / 1_024)));
}

function limitOf(context: Context): number {
  const text = option(context, 'limit');
  if (text === undefined) return LISTED;
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit > 0) return limit;
  throw new CommandError(EXIT.usage, `--limit ${text}: must be a number from 1 to 999999`);
}

function noSuchMessage(id: string): CommandError {
  const cause = `${harmless(id, 60)} is not in the queue`;
  const cure = `It may have left: \`postern trace ${harmless(id, 60)}\` tells.`;
  return new CommandError(EXIT.data, cause, cure);
}
