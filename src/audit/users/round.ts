/** One round of questions: names shared by several connections, paced, resumed, none left out. */

import type { Exchange } from '../wire/exchange.ts';
import type { Asked, Asking, Opened, Oracle, OracleSession } from './oracle.ts';
import type { Pace } from './pace.ts';
import type { Answer } from './signature.ts';

export interface RoundOptions {
  readonly oracle: Oracle;
  readonly asking: Asking;
  readonly pace: Pace;
  /** A fresh control for each connection, asked between the names; undefined: none. */
  readonly control?: () => string;
  /** Whether a connection's controls were answered as controls are: else its answers are void. */
  readonly sound?: (controls: readonly Answer[]) => boolean;
  readonly scouting?: boolean;
  /** Called for each answer that counts. */
  readonly answered: (answer: Answer, exchange: () => Exchange) => void;
}

export interface RoundEnd {
  readonly connections: number;
  readonly probes: number;
  /** Names without an answer, and why. */
  readonly left: readonly string[];
  readonly why: string | undefined;
  /** The server does not do this. */
  readonly unsupported: string | undefined;
  /** Connections whose controls were answered differently. */
  readonly unsound: number;
  /** No name was answered, and every wait for it was in vain. */
  readonly silent: boolean;
  readonly lastExchange: Exchange | undefined;
}

/** Connections in a row that brought nothing, before it is given up. */
const FRUITLESS = 8;
/** The same before the first that did. */
const NEVER_USEFUL = 4;
/** What brought nothing but a wait until the end of our patience counts for so many of them. */
const SILENCE = 2;
const WAIT_MS = 100;
/** A scout waits no longer for one answer: where none is held back they come at once. */
const SCOUT_MS = 350;
const LONGEST_WAIT_MS = 3_000;
/** RFC 5321 4.5.3.1.8: a server takes at least 100 recipients. */
const NAMES_PER_CONNECTION = 90;

/** Asks about all names. */
export async function runRound(names: readonly string[], options: RoundOptions): Promise<RoundEnd> {
  const round = new Round(names, options);
  await round.run();
  return round.end;
}

class Round {
  readonly #options: RoundOptions;
  readonly #queue: string[];
  readonly #names: number;
  readonly #workers: Promise<void>[] = [];
  /** Resolves when the last name is taken: from then on nothing is worth waiting for. */
  readonly #emptied = Promise.withResolvers<'emptied'>();
  #connections = 0;
  #probes = 0;
  #fruitless = 0;
  #useful = false;
  #silent = false;
  #unsound = 0;
  /** So far the usual way was taken everywhere, and most names were refused. */
  #smooth = false;
  #refused = 0;
  #why: string | undefined;
  #unsupported: string | undefined;
  #lastExchange: Exchange | undefined;

  constructor(names: readonly string[], options: RoundOptions) {
    this.#options = options;
    // Taken from the end, so in the order they came.
    this.#queue = names.toReversed();
    this.#names = names.length;
  }

  get end(): RoundEnd {
    return {
      connections: this.#connections,
      probes: this.#probes,
      left: this.#queue,
      why: this.#queue.length === 0 ? undefined : (this.#why ?? 'no reason known'),
      unsupported: this.#unsupported,
      unsound: this.#unsound,
      silent: this.#silent && !this.#useful,
      lastExchange: this.#lastExchange,
    };
  }

  get #over(): boolean {
    const patience = this.#useful ? FRUITLESS : NEVER_USEFUL;
    const given = this.#fruitless >= patience || this.#unsupported !== undefined;
    return this.#queue.length === 0 || given;
  }

  async run(): Promise<void> {
    this.#start();
    // Some may be started meanwhile.
    for (let all = 0; all < this.#workers.length;) {
      all = this.#workers.length;
      await Promise.all(this.#workers);
    }
  }

  /** As many as there is work for, and as may be. */
  #start(): void {
    const { pace } = this.#options;
    // A connection costs a greeting, which is less than a long wait.
    const wanted = Math.ceil(this.#names / (pace.isSlow ? 1 : 2));
    while (this.#workers.length < Math.min(pace.parallel, wanted)) {
      const worker = this.#work(this.#workers.length);
      // One that fails is heard of by `run`, and until then it is no unhandled rejection.
      worker.catch(() => undefined);
      this.#workers.push(worker);
    }
  }

  async #work(index: number): Promise<void> {
    const { oracle, asking, pace } = this.#options;
    while (!this.#over) {
      if (index >= pace.parallel) {
        // Not one's turn while the server is crowded; it may be again.
        await this.#wait(WAIT_MS);
        continue;
      }
      const startMs = asking.clock.elapsed();
      const opened = await oracle.open(asking);
      this.#connections += 1;
      if (opened.kind === 'session') {
        // While it was opened the others may have asked all that was left.
        if (this.#over) await opened.session.close();
        else await this.#use(opened.session, startMs);
      }
      if (opened.kind !== 'session' && (await this.#without(opened, startMs))) return;
    }
  }

  /** No session: waits longer each time; true when it will never be one. */
  async #without(opened: Exclude<Opened, { kind: 'session' }>, startMs: number): Promise<boolean> {
    this.#why = opened.why;
    this.#lastExchange = opened.exchange;
    if (opened.kind === 'unsupported') {
      this.#unsupported = opened.why;
      return true;
    }
    this.#options.pace.crowded();
    await this.#fruitlessOnce(startMs);
    return this.#over;
  }

  async #fruitlessOnce(startMs: number): Promise<void> {
    const { clock, replyMs } = this.#options.asking;
    const silent = clock.elapsed() - startMs >= replyMs;
    this.#fruitless += silent ? SILENCE : 1;
    // Two of these and it is given up: a server that says nothing is not waited for by the minute.
    this.#silent = silent;
    if (silent && !this.#useful) this.#why = `the server is silent (${this.#why ?? 'no answer'})`;
    if (this.#over) return;
    const ms = Math.min(LONGEST_WAIT_MS, WAIT_MS * 2 ** (this.#fruitless - 1));
    await this.#wait(ms);
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#options.asking.clock.after(ms, resolve));
  }

  async #use(session: OracleSession, startMs: number): Promise<void> {
    const { pace, control, sound, scouting, answered } = this.#options;
    const scouts = scouting === true && pace.scout(this.#queue.length);
    const controls: Answer[] = [];
    const answers: Answer[] = [];
    const errorsMs: number[] = [];
    let errors = 0;
    let stopped: string | undefined;
    let held = false;
    while (!this.#over && stopped === undefined && answers.length < NAMES_PER_CONNECTION) {
      const count = this.#room(errors, scouts);
      if (count <= 0) break;
      const own = control !== undefined && controls.length === 0 ? control() : undefined;
      const batch = this.#take(own === undefined ? count : Math.max(1, count - 1), own);
      const beyond = scouts && errors >= pace.perConnection;
      const last = !scouts && this.#fills(errors + batch.length);
      const asked = beyond ? await this.#soon(session, batch) : await session.ask(batch, last);
      if (typeof asked === 'string') {
        // Held back: that is what the scout was sent for; the name is asked by somebody else.
        if (asked === 'held') pace.scouted(errors + 1);
        this.#queue.push(...batch.filter((name) => name !== own));
        held = true;
        break;
      }
      const unsaid = session.pipelined || asked.stopped === undefined ? 0 : 1;
      this.#probes += session.pipelined ? batch.length : asked.answers.length + unsaid;
      stopped = asked.stopped;
      this.#smooth = asked.smooth === true;
      for (const answer of asked.answers) {
        if (answer.signature.kind === 'later' || answer.signature.kind === 'refused') {
          errors += 1;
          this.#refused += 1;
          errorsMs.push(answer.ms);
        }
        (answer.name === own ? controls : answers).push(answer);
      }
      const missing = batch.slice(asked.answers.length).filter((name) => name !== own);
      this.#queue.push(...missing.toReversed());
      held ||= asked.heldBack === true;
      if (last || held) break;
    }
    pace.heard(errorsMs);
    if (stopped !== undefined) pace.limited(errors);
    else if (scouts && !held) pace.patient(errors);
    // Where all wait for long, more of them cost nobody anything.
    if (pace.isSlow) this.#start();
    this.#why = stopped ?? this.#why;
    this.#lastExchange ??= session.exchange;
    const isSound = sound === undefined || sound(controls);
    if (isSound) for (const answer of answers) answered(answer, () => session.exchange);
    else {
      this.#unsound += 1;
      this.#why = 'names that cannot exist were suddenly answered in another way';
      this.#queue.push(...answers.map(({ name }) => name));
    }
    // What is held back holds the end back too.
    const closed = session.close();
    if (!held) await closed;
    if (answers.length > 0 && isSound) {
      this.#fruitless = 0;
      this.#useful = true;
      pace.useful();
    } else await this.#fruitlessOnce(startMs);
  }

  /** The answer, unless it is held back, or nobody is left who could use what it teaches. */
  async #soon(
    session: OracleSession,
    names: readonly string[],
  ): Promise<Asked | 'held' | 'emptied'> {
    const held = Promise.withResolvers<'held'>();
    const timer = this.#options.asking.clock.after(SCOUT_MS, () => held.resolve('held'));
    const asked = await Promise.race([session.ask(names), held.promise, this.#emptied.promise]);
    timer.cancel();
    return asked;
  }

  /** Whether a batch is the last of its connection, as far as can be known before it is answered. */
  #fills(errors: number): boolean {
    const allButAll = this.#refused * 10 >= this.#probes * 9;
    return this.#smooth && allButAll && errors >= this.#options.pace.perConnection;
  }

  /** How many names may follow on a connection with so many errors. */
  #room(errors: number, scouts: boolean): number {
    const { pace } = this.#options;
    const room = pace.perConnection - errors;
    if (room > 0 || !scouts) return room;
    // Past what is safe, one at a time: a tarpit then costs one answer's delay.
    const known = pace.tarpitAt !== undefined || pace.limitAt !== undefined;
    return known || errors >= pace.scoutErrors ? 0 : 1;
  }

  #take(count: number, control: string | undefined): string[] {
    const from = Math.max(0, this.#queue.length - count);
    const batch = this.#queue.splice(from).toReversed();
    if (this.#queue.length === 0) this.#emptied.resolve('emptied');
    if (control === undefined) return batch;
    // Somewhere in the middle, so that its place tells nothing.
    const at = (this.#options.asking.random.bytes(1)[0] ?? 0) % (batch.length + 1);
    return batch.toSpliced(at, 0, control);
  }
}
