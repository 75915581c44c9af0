/** The queue on the real store: mail comes in by the real door, and its notice goes back by it. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { parseAddress } from '#base/address.ts';
import type { Domain } from '#base/brand.ts';
import { latin1, utf8 } from '#base/bytes.ts';
import { openStore } from '#engine/store.ts';
import { systemClock } from '#network/clock.ts';
import { resolve } from '#policy/addresses/resolve.ts';
import { RelayPermit } from '#policy/relay.ts';
import type { Store } from '#store/store.ts';
import { makeIntake } from '../intake.ts';
import type { Intake, NewMail } from '../mail.ts';
import { makeNotifier, successNotice } from '../notify/notifier.ts';
import { QUEUE_OPTIONS, type QueueRunner, queueRunner } from './runner.ts';
import { type Fate, TestTransfer } from './testing-agents.ts';
import { TestLog, noMetrics } from './testing-world.ts';

const HEAD = 'From: alice@demo.test\r\nSubject: Lunch\r\nMessage-ID: <m1@demo.test>\r\n\r\n';
const random = { bytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)) };

interface Site {
  readonly store: Store;
  readonly intake: Intake;
  readonly runner: QueueRunner;
  readonly transfer: TestTransfer;
}

/** A store in a folder of its own, with alice@demo.test, and everything around the queue. */
async function withSite(fate: Fate, use: (site: Site) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), 'postern-queue-'));
  const log = new TestLog();
  const store = await openStore({ directory, thread: false, log });
  const notify = makeNotifier({ myhostname: 'mail.demo.test' as Domain, random });
  const intake: Intake = makeIntake({
    store,
    clock: systemClock,
    random,
    resolve: (address) => resolve(address, store.directory),
    lifetimeMs: 432_000_000,
    noticeLifetimeMs: 432_000_000,
    trap: undefined,
    noticeFailed: (thrown) => assert.fail(String(thrown)),
    successNotice: (mail, to) => successNotice(notify, intake.newId, mail, to, systemClock.now()),
  });
  const transfer = new TestTransfer(() => fate);
  const runner = queueRunner({
    store,
    transfer,
    intake,
    notify,
    clock: systemClock,
    random,
    log,
    metrics: noMetrics,
    options: { ...QUEUE_OPTIONS, stopMs: 1_000 },
  });
  try {
    await addAlice(store);
    runner.start();
    await use({ store, intake, runner, transfer });
  } finally {
    await runner.stop();
    await store.close();
    rmSync(directory, { recursive: true });
  }
}

async function addAlice(store: Store): Promise<void> {
  await store.write('addDomain', { name: 'demo.test' as Domain });
  const keys = new Uint8Array(32);
  const scram = { salt: keys, iterations: 4_096, storedKey: keys, serverKey: keys };
  const credentials = { password: '$argon2id$none', scram };
  await store.write('addAccount', { address: 'alice@demo.test', credentials, nowMs: 1 });
}

function mailTo(intake: Intake, ...to: string[]): NewMail {
  return {
    id: intake.newId(),
    origin: 'submission',
    reversePath: parseAddress('alice@demo.test')!,
    recipients: to.map((text) => ({
      address: parseAddress(text)!,
      permit: RelayPermit.ownNotice(),
      notify: ['success', 'failure', 'delay'],
      originalRecipient: `rfc822;${text}`,
    })),
    content: { head: utf8(HEAD), body: utf8('one?\r\n') },
    structure: undefined,
    messageId: 'm1@demo.test',
    envelope: { ret: 'full', envelopeId: 'E9', smtpUtf8: false, body: '7bit' },
    session: undefined,
    submitter: 'alice@demo.test',
    facts: {},
  };
}

/** Waits, a turn of the loop at a time. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const endMs = systemClock.elapsed() + 5_000;
  while (!(await condition())) {
    assert.ok(systemClock.elapsed() < endMs, 'it happens within five seconds');
    await new Promise((done) => void setImmediate(done));
  }
}

/** Alice's INBOX, as octets. */
async function inbox(store: Store): Promise<string[]> {
  const account = store.directory.account('alice@demo.test');
  const box = await store.mail.mailbox(account!.id, 'INBOX');
  if (box === undefined) return [];
  const rows = await store.mail.messages(box.id, [[1, 1_000]], { limit: 100 });
  const texts = rows.map(async ({ content, sizeBytes }) =>
    latin1(await store.mail.octets(content, 0, sizeBytes)),
  );
  return Promise.all(texts);
}

async function isEmpty(store: Store): Promise<boolean> {
  return (await store.queue.size()).messages === 0;
}

test('a refusal: the row ends and the notice lies in the mailbox, in one commit', async () => {
  await withSite('failed', async ({ store, intake, transfer }) => {
    const mail = mailTo(intake, 'bob@far.test', 'carol@far.test');
    await intake.accept(mail);
    await until(() => isEmpty(store));
    const [notice, ...more] = await inbox(store);
    assert.equal(more.length, 0);
    assert.match(notice ?? '', /^Return-Path: <>\r\n/);
    assert.match(notice ?? '', /Original-Envelope-Id: E9\r\n/);
    assert.match(notice ?? '', /Final-Recipient: rfc822; bob@far\.test/);
    assert.match(notice ?? '', /Final-Recipient: rfc822; carol@far\.test/);
    assert.match(notice ?? '', /550-5\.1\.1 no such user\r\n 550 5\.1\.1 go away/);
    assert.match(notice ?? '', /\r\none\?\r\n/);
    assert.equal(transfer.jobs.length, 1);
    const story = (await store.ledger.trace(mail.id, 100)).map(({ kind }) => kind);
    for (const kind of ['accepted', 'attempt', 'bounced', 'notice']) {
      assert.ok(story.includes(kind as never), `${kind} in ${story.join()}`);
    }
  });
});

test('relayed to a server without DSN: said once; delivered here: said once', async () => {
  await withSite('relayed', async ({ store, intake }) => {
    await intake.accept(mailTo(intake, 'bob@far.test', 'alice@demo.test'));
    await until(async () => (await isEmpty(store)) && (await inbox(store)).length === 3);
    const text = (await inbox(store)).join('');
    assert.equal(text.split('Action: relayed').length - 1, 1);
    assert.equal(text.split('Action: delivered').length - 1, 1);
  });
});

test('put off: attempts and times are on disk; retry by hand is at once', async () => {
  await withSite('deferred', async ({ store, intake, transfer }) => {
    const { id } = mailTo(intake, 'bob@far.test');
    await intake.accept({ ...mailTo(intake, 'bob@far.test'), id });
    await until(async () => (await store.queue.message(id))?.recipients[0]?.attempts === 1);
    const row = (await store.queue.message(id))?.recipients[0];
    const waitMs = (row?.nextMs ?? 0) - systemClock.now();
    assert.ok(waitMs > 290_000 && waitMs < 331_000, `${waitMs} ms`);
    assert.match(row?.lastAnswer ?? '', /450 4\.2\.1 try later/);
    const nowMs = systemClock.now();
    await store.write('queueCommand', { id, action: 'retry', nowMs, ledger: [] });
    await until(async () => (await store.queue.message(id))?.recipients[0]?.attempts === 2);
    assert.equal(transfer.jobs.length, 2);
  });
});
