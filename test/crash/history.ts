/** What clients were told and what is there afterwards: the checker that decides every round. */

import { fits, type Model } from './model.ts';
import type { Box, World } from './world.ts';

/** How a step ended for its client: acknowledged, refused, or the line went dead before an answer. */
export type Outcome = 'ok' | 'failed' | 'unknown';

export interface SentRecipient {
  readonly address: string;
  /** `far` is taken by the next hop, `refused` is refused by it for good. */
  readonly kind: 'local' | 'far' | 'refused';
  /** The sender asked to be told of success: in the same commit as the delivery. */
  readonly isConfirmed?: boolean;
}

/** A message that a client handed over by SMTP. */
export interface Sent {
  readonly id: string;
  readonly hash: string;
  /** Who gets the notice when a recipient is refused. */
  readonly sender: string;
  readonly recipients: readonly SentRecipient[];
  /** The life of the server in which it was sent: each crash begins a new one. */
  readonly life: number;
  outcome: Outcome;
  /** What the 250 called it. */
  queueId?: string | undefined;
}

interface Pair {
  readonly hash: string;
  isGone: boolean;
}

/** Remembers all that clients did in all lives of one data directory, and judges what is there. */
export class History {
  readonly sent: Sent[] = [];
  /** What a mailbox tree may look like now: more than one model while an answer is missing. */
  readonly #models = new Map<string, readonly Model[]>();
  /** By account, UIDVALIDITY and UID. */
  readonly #uids = new Map<string, Pair>();
  /** By account and UIDVALIDITY: what may only grow. */
  readonly #marks = new Map<string, { uidNext: number; modSeq: number }>();
  /** The highest UIDVALIDITY that a name ever had. */
  readonly #names = new Map<string, number>();
  /** UIDVALIDITY values whose mailbox was gone. */
  readonly #retired = new Set<string>();
  life = 0;
  /**
   * The disk of this life is cut off before its end: a commit whose sync failed may be on it
   * nevertheless, so that a refusal does not say that nothing was written.
   */
  isDoomed = false;

  /** A message on its way: unknown until its answer is read. */
  sending(sent: Omit<Sent, 'outcome' | 'life'>): Sent {
    const entry: Sent = { ...sent, life: this.life, outcome: 'unknown' };
    this.sent.push(entry);
    return entry;
  }

  /** What a client may conclude from its answer. */
  outcome(told: Outcome): Outcome {
    return told === 'failed' && this.isDoomed ? 'unknown' : told;
  }

  /** The tree of an account, as it was seen; what follows is reckoned from it. */
  believe(account: string, model: Model): void {
    this.#models.set(account, [model]);
  }

  /** The one thing an account's tree can look like; a client asks before it acts. */
  model(account: string): Model {
    const [model, ...others] = this.#models.get(account) ?? [];
    if (model === undefined || others.length > 0) throw new Error(`${account} is not settled`);
    return model;
  }

  /** A step that changes an account's tree, after it ended. */
  changed(account: string, told: Outcome, change: (model: Model) => Model): void {
    const outcome = this.outcome(told);
    const before = this.#models.get(account) ?? [];
    const after = before.map(change);
    if (outcome === 'ok') this.#models.set(account, after);
    if (outcome === 'unknown') this.#models.set(account, [...before, ...after]);
  }

  /** Everything that is wrong, in words; nothing wrong: an empty list. */
  check(world: World): string[] {
    return [
      ...world.damage,
      ...this.#checkMail(world),
      ...this.#checkTrees(world),
      ...world.boxes.flatMap((box) => this.#checkNumbers(box)),
      ...this.#checkRetired(world),
      ...checkLedger(this.sent, world),
    ];
  }

  #checkMail(world: World): string[] {
    const copies = count(world);
    const known = new Map(this.sent.map((sent) => [sent.id, sent]));
    const problems: string[] = [];
    for (const sent of this.sent) {
      for (const recipient of sent.recipients) {
        const key = `${sent.id} for ${recipient.address}`;
        const counts = copies.counts.get(key);
        const { box = 0, sink = 0, notice = 0, queued = 0, told = 0 } = counts ?? {};
        const there = box + sink + notice + queued;
        if (sent.outcome === 'ok' && there === 0) problems.push(`lost: ${key}`);
        if (sent.outcome === 'failed' && there > 0) problems.push(`refused, yet there: ${key}`);
        // A next hop may see a message again when its answer was cut off (RFC 1047).
        const permitted = recipient.kind === 'far' ? 1 + this.life - sent.life : 1;
        const isTwice = box > 1 || notice > 1 || queued > 1 || sink > permitted;
        if (isTwice) problems.push(`twice: ${key} (${box} ${sink} ${notice} ${queued})`);
        if (notice > 0 && box + sink + queued > 0) problems.push(`returned and kept: ${key}`);
        const telling = recipient.isConfirmed === true ? box : 0;
        if (told !== telling) problems.push(`told ${told} times instead of ${telling}: ${key}`);
      }
    }
    for (const { id, hash, at } of copies.seen) {
      const sent = known.get(id);
      if (sent === undefined) problems.push(`invented: ${id} in ${at}`);
      else if (sent.hash !== hash) problems.push(`altered: ${id} in ${at}`);
    }
    return problems;
  }

  #checkTrees(world: World): string[] {
    const problems: string[] = [];
    for (const [account, models] of this.#models) {
      const boxes = world.boxes.filter((box) => box.account === account);
      const reasons = models.map((model) => fits(model, boxes));
      if (!reasons.includes(undefined)) problems.push(`${account}: ${reasons.join(' or ')}`);
    }
    return problems;
  }

  #checkNumbers(box: Box): string[] {
    const problems: string[] = [];
    const at = `${box.account} ${box.name} (${box.uidValidity})`;
    const key = `${box.account} ${box.uidValidity}`;
    const mark = this.#marks.get(key) ?? { uidNext: 1, modSeq: 0 };
    if (box.uidNext < mark.uidNext) problems.push(`UIDNEXT went back: ${at}`);
    if (box.highestModSeq < mark.modSeq) problems.push(`HIGHESTMODSEQ went back: ${at}`);
    this.#marks.set(key, { uidNext: box.uidNext, modSeq: box.highestModSeq });
    const name = `${box.account} ${box.name}`;
    if (box.uidValidity < (this.#names.get(name) ?? 0)) problems.push(`UIDVALIDITY reused: ${at}`);
    this.#names.set(name, Math.max(box.uidValidity, this.#names.get(name) ?? 0));
    if (this.#retired.has(key)) problems.push(`UIDVALIDITY of a deleted mailbox: ${at}`);
    const present = new Set<string>();
    for (const { uid, hash, modSeq } of box.messages) {
      const pair = `${key} ${uid}`;
      present.add(pair);
      const before = this.#uids.get(pair) ?? { hash, isGone: false };
      if (uid >= box.uidNext) problems.push(`UID ${uid} is not below UIDNEXT: ${at}`);
      if (modSeq > box.highestModSeq) problems.push(`UID ${uid} is newer than all: ${at}`);
      if (before.hash !== hash) problems.push(`UID ${uid} has other octets: ${at}`);
      if (before.isGone) problems.push(`UID ${uid} came back: ${at}`);
      this.#uids.set(pair, before);
    }
    for (const [pair, before] of this.#uids) {
      if (pair.startsWith(`${key} `) && !present.has(pair)) before.isGone = true;
    }
    return problems;
  }

  /** Runs after the numbers: a UIDVALIDITY that is not there now must never be there again. */
  #checkRetired(world: World): string[] {
    const here = world.boxes.map((box) => `${box.account} ${box.uidValidity}`);
    for (const key of this.#marks.keys()) if (!here.includes(key)) this.#retired.add(key);
    const doubles = here.filter((key, at) => here.indexOf(key) !== at);
    return doubles.map((key) => `two mailboxes share a UIDVALIDITY: ${key}`);
  }
}

interface Counts {
  /** Notices of success. */
  told: number;
  box: number;
  sink: number;
  notice: number;
  queued: number;
}

interface Counted {
  readonly counts: ReadonlyMap<string, Counts>;
  readonly seen: readonly { readonly id: string; readonly hash: string; readonly at: string }[];
}

/** Where each message is, by id and recipient. */
function count(world: World): Counted {
  const counts = new Map<string, Counts>();
  const seen: { id: string; hash: string; at: string }[] = [];
  const add = (id: string, recipient: string, where: keyof Counts): void => {
    const key = `${id} for ${recipient}`;
    const entry = counts.get(key) ?? { told: 0, box: 0, sink: 0, notice: 0, queued: 0 };
    entry[where] += 1;
    counts.set(key, entry);
  };
  for (const box of world.boxes) {
    // What clients put there themselves is judged by the models.
    for (const message of box.messages) {
      if (message.notice !== undefined) {
        for (const recipient of message.notice.failed) add(message.id, recipient, 'notice');
        for (const recipient of message.notice.delivered) add(message.id, recipient, 'told');
      } else if (message.queueId !== undefined) {
        add(message.id, box.account, 'box');
        seen.push({ id: message.id, hash: message.hash, at: `${box.account} ${box.name}` });
      }
    }
  }
  for (const { id, hash, recipient } of world.sink) {
    add(id, recipient, 'sink');
    seen.push({ id, hash, at: `the next hop, for ${recipient}` });
  }
  for (const { id, recipient } of world.queue) add(id, recipient, 'queued');
  return { counts, seen };
}

/** Whatever was acknowledged or is somewhere is in the ledger, and the ledger tells no tales. */
function checkLedger(sent: readonly Sent[], world: World): string[] {
  const problems: string[] = [];
  const there = new Set<string>();
  for (const { messages } of world.boxes) {
    for (const { queueId } of messages) if (queueId !== undefined) there.add(queueId);
  }
  for (const { queueId } of [...world.sink, ...world.queue]) there.add(queueId);
  for (const { outcome, queueId, id } of sent) {
    if (outcome === 'ok' && queueId !== undefined && !world.ledger.has(queueId)) {
      problems.push(`accepted, but not in the ledger: ${id} ${queueId}`);
    }
  }
  for (const queueId of there) {
    if (!world.ledger.has(queueId)) problems.push(`there, but not in the ledger: ${queueId}`);
  }
  for (const [queueId, kind] of world.ledger) {
    if (kind === 'accepted' && !there.has(queueId)) {
      problems.push(`in the ledger, but nowhere: ${queueId}`);
    }
  }
  return problems;
}
