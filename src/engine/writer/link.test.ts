/** The link to the writer: what it does when the writer fails, or is gone. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '#base/brand.ts';
import { storeLimits } from '../options.ts';
import { WriterLink } from './link.ts';
import type { FromWriter, Job, ToWriter } from './message.ts';
import type { PortListener } from './ports.ts';

const SUBSCRIBE = { account: 1 as AccountId, name: 'x', on: true };

interface FakeWriter {
  readonly listener: PortListener;
  readonly posted: ToWriter[];
  isHeld: boolean;
}

function linkToFakes(): { link: WriterLink; writers: FakeWriter[]; lost: unknown[] } {
  const writers: FakeWriter[] = [];
  const lost: unknown[] = [];
  const link = new WriterLink({
    limits: storeLimits(undefined),
    now: () => 7,
    openPort: (listener) => {
      const writer: FakeWriter = { listener, posted: [], isHeld: false };
      writers.push(writer);
      return {
        post: (message) => void writer.posted.push(message),
        hold: (isBusy) => {
          writer.isHeld = isBusy;
        },
      };
    },
    committed: () => undefined,
    foreign: () => undefined,
    lost: (cause) => void lost.push(cause),
  });
  return { link, writers, lost };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function jobsOf(writer: FakeWriter | undefined): readonly Job[] {
  return (writer?.posted ?? []).flatMap((message) => (message.kind === 'work' ? message.jobs : []));
}

function done(jobs: readonly Job[], sequence: number | undefined): FromWriter {
  const answers = jobs.map(({ ticket }) => ({ ticket, result: { kind: 'done' } }));
  return {
    kind: 'done',
    answers,
    sequence,
    mailboxes: [],
    queue: false,
    directory: false,
    foreign: false,
  };
}

test('a writer that is lost fails all it had, and the next write starts another', async () => {
  const { link, writers, lost } = linkToFakes();
  const writes = [link.write('subscribe', SUBSCRIBE), link.write('subscribe', SUBSCRIBE)];
  await turn();
  const late = link.write('subscribe', SUBSCRIBE);
  writers[0]?.listener.lost(new Error('gone'));
  for (const result of await Promise.allSettled([...writes, late])) {
    assert.equal(result.status === 'rejected' && result.reason.code, 'writer-lost');
  }
  assert.equal(lost.length, 1);
  const next = link.write('subscribe', SUBSCRIBE);
  await turn();
  assert.equal(writers.length, 2);
  assert.equal(jobsOf(writers[1]).length, 1);
  writers[1]?.listener.received(done(jobsOf(writers[1]), 1));
  assert.equal((await next).durable.sequence, 1);
});

test('no proof without a commit', async () => {
  const { link, writers } = linkToFakes();
  const write = link.write('subscribe', SUBSCRIBE);
  await turn();
  writers[0]?.listener.received(done(jobsOf(writers[0]), undefined));
  await assert.rejects(write, { kind: 'temporary' });
  assert.deepEqual(link.counters(), { operations: 0, commits: 0, waiting: 0 });
});

test('the process is held up while answers are awaited, and only then', async () => {
  const { link, writers } = linkToFakes();
  assert.equal(writers[0]?.isHeld, false);
  const write = link.write('subscribe', SUBSCRIBE);
  assert.equal(writers[0]?.isHeld, true);
  await turn();
  writers[0]?.listener.received(done(jobsOf(writers[0]), 1));
  await write;
  assert.equal(writers[0]?.isHeld, false);
});

test('finish waits for what was asked; a lost writer does not keep it waiting', async () => {
  const { link, writers } = linkToFakes();
  const write = link.write('subscribe', SUBSCRIBE);
  const finished = link.finish();
  await turn();
  writers[0]?.listener.lost(new Error('gone'));
  await assert.rejects(write, /ended unexpectedly/);
  await finished;
  await link.close();
});
