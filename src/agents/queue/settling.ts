/** Writes what came of a job, notices included, in one commit; and does not let go until it is. */

import { addressKey, parseAddress } from '#base/address.ts';
import { Failure } from '#base/failure.ts';
import type { Clock, Log } from '#base/world.ts';
import type { LedgerEntry } from '#store/ledger.ts';
import type { Acceptance } from '#store/operations.ts';
import type { QueuedMessage } from '#store/queue.ts';
import type { Store } from '#store/store.ts';
import type { Intake, NewMail } from '../mail.ts';
import type { NoticeFacts, NoticeKind, Original } from '../notify/facts.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { Outcome } from './outcome.ts';

export interface SettlingWorld {
  readonly store: Store;
  readonly intake: Intake;
  readonly notify: Notifier;
  readonly clock: Clock;
  readonly log: Log;
}

/** A notice that is built, and whether the door takes it. */
interface Notice {
  readonly kind: NoticeKind;
  readonly mail: NewMail;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** After so many refusals by the door a notice is given up, so that the row can end. */
const DOOR_TRIES = 5;

/**
 * Writes rows, ledger and notices together: a crash before leaves all of it to be done again, a
 * crash after leaves nothing, so no notice is lost and none is sent twice. When the disk fails it
 * is tried again for as long as `isGivenUp` says no: the caller keeps its lease meanwhile, so that
 * nothing is sent a second time because it could not be noted down. True when it is on disk.
 */
export async function settle(
  world: SettlingWorld,
  message: QueuedMessage,
  outcome: Outcome,
  isGivenUp: () => boolean,
): Promise<boolean> {
  let notices: readonly Notice[] | undefined;
  for (let tries = 1; ; tries += 1) {
    try {
      notices ??= await buildNotices(world, message, outcome);
      await write(world, message, outcome, notices, tries);
      logOutcome(world.log, message, outcome);
      return true;
    } catch (thrown) {
      const failure = Failure.from(thrown);
      world.log.event('error', 'queue.settle-failed', {
        queueId: message.id,
        code: failure.code,
        reason: failure.message,
        tries,
      });
    }
    if (isGivenUp()) return false;
    await pause(world.clock, Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1)));
    if (isGivenUp()) return false;
  }
}

/** What the ledger has, in short: how it ended, or why it waits. An attempt alone is no news. */
function logOutcome(log: Log, message: QueuedMessage, outcome: Outcome): void {
  const sender = message.envelope.reversePath;
  for (const { kind, facts } of outcome.ledger) {
    const { recipients, deferred } = facts;
    if (recipients !== undefined) {
      log.event('info', `queue.${kind}`, { queueId: message.id, sender, recipients });
    } else if (Array.isArray(deferred) && deferred.length > 0) {
      log.event('info', 'queue.deferred', { queueId: message.id, sender, deferred });
    }
  }
}

/** Resolves after `ms`. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}

async function write(
  world: SettlingWorld,
  message: QueuedMessage,
  outcome: Outcome,
  notices: readonly Notice[],
  tries: number,
): Promise<void> {
  const accepted: Acceptance[] = [];
  const ledger: LedgerEntry[] = [...outcome.ledger];
  for (const notice of notices) {
    const acceptance = prepare(world, notice, tries);
    if (acceptance !== undefined) accepted.push(acceptance);
    ledger.push(entryFor(world, message, notice, acceptance));
  }
  const { settlements } = outcome;
  await world.store.write('settle', { id: message.id, settlements, notices: accepted, ledger });
}

/** A notice whose addressee no longer exists is dropped: there is nobody to tell. */
function prepare(world: SettlingWorld, notice: Notice, tries: number): Acceptance | undefined {
  try {
    return world.intake.prepare(notice.mail);
  } catch (thrown) {
    const failure = Failure.from(thrown);
    if (failure.code !== 'recipient-vanished' && tries < DOOR_TRIES) throw failure;
    world.log.event('warn', 'queue.notice-dropped', {
      queueId: notice.mail.id,
      code: failure.code,
      reason: failure.message,
    });
    return undefined;
  }
}

function entryFor(
  world: SettlingWorld,
  message: QueuedMessage,
  notice: Notice,
  acceptance: Acceptance | undefined,
): LedgerEntry {
  const sender = parseAddress(message.envelope.reversePath);
  const sent = acceptance !== undefined;
  return {
    atMs: world.clock.now(),
    kind: 'notice',
    session: undefined,
    queueId: message.id,
    keys: sender === undefined ? [] : [addressKey(sender)],
    facts: { about: notice.kind, sent, notice: notice.mail.id, to: message.envelope.reversePath },
  };
}

async function buildNotices(
  world: SettlingWorld,
  message: QueuedMessage,
  outcome: Outcome,
): Promise<Notice[]> {
  if (outcome.notices.size === 0) return [];
  const notices: Notice[] = [];
  for (const [kind, recipients] of outcome.notices) {
    const original = await readOriginal(world, message, kind);
    const nowMs = world.clock.now();
    const facts: NoticeFacts = { kind, mail: message, recipients, original, nowMs };
    const mail = world.notify.notice(world.intake.newId(), facts);
    if (mail !== undefined) notices.push({ kind, mail });
  }
  return notices;
}

/** What goes back with the notice; a message that cannot be read must not stop the notice. */
async function readOriginal(
  world: SettlingWorld,
  message: QueuedMessage,
  kind: NoticeKind,
): Promise<Original | undefined> {
  const { content, headBytes, sizeBytes } = message;
  const { returnBytes } = world.notify;
  // RFC 3461 6.2: what did not fail returns the header only.
  // RFC 8689 5: REQUIRETLS counts as RET=HDRS, since the way back may be less safe.
  const { ret, tls } = message.envelope;
  const headersOnly = ret === 'headers' || tls === 'required';
  const whole = kind === 'failed' && !headersOnly && sizeBytes <= returnBytes;
  try {
    const { mail } = world.store;
    const head = await mail.octets(content, 0, Math.min(headBytes, returnBytes));
    const cut = headBytes > returnBytes;
    if (!whole || cut) return { head, cut, body: undefined };
    return { head, cut, body: await mail.octets(content, headBytes, sizeBytes - headBytes) };
  } catch (thrown) {
    const failure = Failure.from(thrown);
    world.log.event('error', 'queue.original-unreadable', {
      queueId: message.id,
      code: failure.code,
      reason: failure.message,
    });
    return undefined;
  }
}
