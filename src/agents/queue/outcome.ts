/** From the results of one job to what is to be written: rows, notices and the story of it. */

import { addressKey, parseAddress } from '#base/address.ts';
import { visible } from '#base/bytes.ts';
import type { JsonObject } from '#base/json.ts';
import type { Random } from '#base/world.ts';
import { type Reply, formatReply } from '#protocol/smtp/reply.ts';
import type { LedgerEntry } from '#store/ledger.ts';
import type { Settlement } from '#store/operations.ts';
import type { QueuedMessage, QueuedRecipient } from '#store/queue.ts';
import { type NoticeKind, type NoticeRecipient, isWanted } from '../notify/facts.ts';
import type { RecipientResult, TransferResult } from '../transfer/job.ts';
import { type Schedule, backoffMs, isOver, jittered, nextTry } from './schedule.ts';

export interface Outcome {
  readonly settlements: readonly Settlement[];
  /** By kind, who is to be named in a notice; kinds that nobody asked for are missing. */
  readonly notices: ReadonlyMap<NoticeKind, readonly NoticeRecipient[]>;
  readonly ledger: readonly LedgerEntry[];
}

export interface Moment {
  readonly nowMs: number;
  /** When the last try was made; undefined: none was. */
  readonly attemptMs: number | undefined;
  /** How long this process has seen its clocks agree. */
  readonly steadyMs: number;
  readonly schedule: Schedule;
  readonly random: Random;
}

/** Why rows are put off without a try: their destination rests. */
export interface PutOff {
  readonly waitMs: number;
  readonly reason: string;
}

type Delivered = Extract<RecipientResult, { kind: 'delivered' }>;
type Unfinished = Exclude<RecipientResult, { kind: 'delivered' }>;

const ANSWER_CHARACTERS = 500;

/** What the attempt did to each of `rows`; a result that is missing counts as put off. */
export function outcomeOf(
  message: QueuedMessage,
  rows: readonly QueuedRecipient[],
  result: TransferResult,
  moment: Moment,
): Outcome {
  const byNumber = new Map(result.recipients.map((each) => [each.number, each]));
  const tally = new Tally(message, moment);
  for (const row of rows) {
    const each = byNumber.get(row.number) ?? missing(row.number);
    tally.add(row, each, backoffMs(moment.schedule, row.attempts + 1));
  }
  tally.tellAttempt(rows, result.facts);
  return tally.outcome();
}

/** The same for rows whose destination is known to be out of reach: nobody was asked. */
export function outcomeOfRest(
  message: QueuedMessage,
  rows: readonly QueuedRecipient[],
  rest: PutOff,
  moment: Moment,
): Outcome {
  const tally = new Tally(message, moment);
  for (const row of rows) {
    const each = {
      number: row.number,
      kind: 'deferred',
      reply: undefined,
      status: '4.4.1',
      host: undefined,
      reason: rest.reason,
    } as const;
    tally.add(row, each, rest.waitMs);
  }
  return tally.outcome();
}

/** Collects what one write will hold. */
class Tally {
  readonly #message: QueuedMessage;
  readonly #moment: Moment;
  readonly #settlements: Settlement[] = [];
  readonly #notices = new Map<NoticeKind, NoticeRecipient[]>();
  readonly #waiting: JsonObject[] = [];
  readonly #delivered: [QueuedRecipient, JsonObject][] = [];
  readonly #bounced: [QueuedRecipient, JsonObject][] = [];
  readonly #expired: [QueuedRecipient, JsonObject][] = [];
  readonly #ledger: LedgerEntry[] = [];
  /** Address keys by text: each of several entries names the same people. */
  readonly #keys = new Map<string, string | undefined>();

  constructor(message: QueuedMessage, moment: Moment) {
    this.#message = message;
    this.#moment = moment;
  }

  add(row: QueuedRecipient, result: RecipientResult, waitMs: number): void {
    if (result.kind === 'delivered') this.#succeeded(row, result);
    else if (result.kind === 'failed') this.#failed(row, result);
    else this.#deferred(row, result, waitMs);
  }

  tellAttempt(rows: readonly QueuedRecipient[], facts: JsonObject): void {
    this.#tell('attempt', rows, { ...facts, deferred: this.#waiting });
  }

  outcome(): Outcome {
    this.#tellAll('delivered', this.#delivered);
    this.#tellAll('bounced', this.#bounced);
    this.#tellAll('expired', this.#expired);
    return { settlements: this.#settlements, notices: this.#notices, ledger: this.#ledger };
  }

  #tell(kind: LedgerEntry['kind'], rows: readonly QueuedRecipient[], facts: JsonObject): void {
    this.#ledger.push({
      atMs: this.#moment.nowMs,
      kind,
      session: undefined,
      queueId: this.#message.id,
      keys: this.#keysOf(rows),
      facts,
    });
  }

  /** What the ledger finds an entry by: the sender and the recipients, as address keys. */
  #keysOf(rows: readonly QueuedRecipient[]): string[] {
    const keys = new Set<string>();
    for (const text of [this.#message.envelope.reversePath, ...rows.map((row) => row.address)]) {
      if (!this.#keys.has(text)) this.#keys.set(text, keyOf(text));
      const key = this.#keys.get(text);
      if (key !== undefined) keys.add(key);
    }
    return [...keys].slice(0, 1_000);
  }

  #succeeded(row: QueuedRecipient, result: Delivered): void {
    this.#settlements.push({ number: row.number, kind: 'done' });
    this.#delivered.push([row, storyOf(result)]);
    if (result.dsnPassedOn) return;
    const { enhanced } = result.reply;
    const status = enhanced?.startsWith('2.') === true ? enhanced : '2.0.0';
    this.#notify('relayed', row, { ...result, status, reason: '', expired: false });
  }

  #failed(row: QueuedRecipient, result: Unfinished): void {
    this.#settlements.push({ number: row.number, kind: 'done' });
    const told = this.#notify('failed', row, { ...result, expired: false });
    this.#bounced.push([row, { ...storyOf(result), ...told }]);
  }

  #deferred(row: QueuedRecipient, result: Unfinished, waitMs: number): void {
    const { schedule, nowMs, random } = this.#moment;
    if (isOver(schedule, this.#message, row, this.#moment)) {
      this.#settlements.push({ number: row.number, kind: 'done' });
      // RFC 3463 3.5: X.4.7 delivery time expired.
      const told = this.#notify('failed', row, { ...result, status: '4.4.7', expired: true });
      this.#expired.push([row, { ...storyOf(result), ...told }]);
      return;
    }
    this.#waiting.push({ recipient: row.address, ...storyOf(result) });
    this.#settlements.push({
      number: row.number,
      kind: 'deferred',
      nextMs: nextTry(row, nowMs, jittered(waitMs, random)),
      lastAnswer: answerOf(result),
      delayNotified: row.delayNotified || this.#warn(row, result),
    });
  }

  /** Tells the sender once that the message still waits. */
  #warn(row: QueuedRecipient, result: Unfinished): boolean {
    const { schedule, nowMs } = this.#moment;
    if (row.delayNotified || schedule.delayWarningMs === 0) return false;
    if (nowMs - this.#message.acceptedMs < schedule.delayWarningMs) return false;
    // What is given up at the next try anyway gets the one notice that matters.
    if (nowMs >= row.expiresMs) return false;
    return 'notice' in this.#notify('delayed', row, { ...result, expired: false });
  }

  /** Puts a recipient on the notice of its kind, or says why there is none. */
  #notify(
    kind: NoticeKind,
    row: QueuedRecipient,
    result: Pick<NoticeRecipient, 'status' | 'reason' | 'reply' | 'host' | 'expired'>,
  ): JsonObject {
    // RFC 5321 4.5.5: never about a message from `<>`, or notices would chase each other.
    if (this.#message.envelope.reversePath === '') return { noNotice: 'null reverse-path' };
    if (!isWanted(kind, row.notify)) return { noNotice: 'not asked for' };
    const named: NoticeRecipient = {
      address: row.address,
      originalRecipient: row.originalRecipient,
      status: result.status,
      reply: result.reply,
      host: result.host,
      reason: result.reason,
      expired: result.expired,
      lastAttemptMs: this.#moment.attemptMs,
      retryUntilMs: kind === 'delayed' ? row.expiresMs : undefined,
    };
    const list = this.#notices.get(kind);
    if (list === undefined) this.#notices.set(kind, [named]);
    else list.push(named);
    return { notice: kind };
  }

  #tellAll(kind: LedgerEntry['kind'], told: readonly [QueuedRecipient, JsonObject][]): void {
    if (told.length === 0) return;
    const rows = told.map(([row]) => row);
    const recipients = told.map(([row, facts]) => ({ recipient: row.address, ...facts }));
    this.#tell(kind, rows, { recipients });
  }
}

function keyOf(text: string): string | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : addressKey(address);
}

function missing(number: number): Unfinished {
  return {
    number,
    kind: 'deferred',
    reply: undefined,
    status: '4.3.0',
    host: undefined,
    reason: 'the attempt ended without a result for this recipient',
  };
}

function storyOf(result: RecipientResult): JsonObject {
  const { kind, host } = result;
  const answer = result.reply === undefined ? undefined : answerText(result.reply);
  if (result.kind === 'delivered') return { kind, host, answer, dsnPassedOn: result.dsnPassedOn };
  return { kind, host, answer, status: result.status, reason: visible(result.reason, 1_000) };
}

/** For people, in one line: `mx.example 450 4.2.1 try later`. */
function answerOf(result: RecipientResult): string {
  const said =
    result.reply === undefined
      ? visible('reason' in result ? result.reason : '', ANSWER_CHARACTERS)
      : answerText(result.reply);
  const host = result.host === undefined ? '' : `${visible(result.host, 300)} `;
  return `${host}${said}`.slice(0, ANSWER_CHARACTERS);
}

/** An answer in one line, the lines of a long one joined; harmless in a log. */
function answerText(reply: Reply): string {
  const text = formatReply({ ...reply, lines: reply.lines.slice(0, 50) });
  return visible(text.trimEnd().replaceAll('\r\n', ' '), 2_000);
}
