/** The one loop between a connection and a machine: read, receive, perform, write, wait. */

import type { Awaitable } from '#base/brand.ts';
import { type PlainLines, concat } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import type { Secure } from '#base/secure.ts';
import type { Clock, Connection, Log, Receiver, Timer, TlsIdentity } from '#base/world.ts';
import type { Action, Machine } from '#protocol/machine.ts';

/** What stands behind a machine: it answers, takes content, and hears what happened. */
export interface Host<Question, Answer, Fact> {
  /** May throw or reject with a Failure: the machine then hears `failed`. */
  answer(question: Question): Awaitable<Answer>;
  /** Takes content octets; a promise holds the peer back until it resolves. */
  body?(bytes: Uint8Array, lines?: PlainLines): Awaitable<void>;
  tell?(fact: Fact): void;
  /** Octets came while an answer was owed: they wait, but some protocols want to know. */
  ahead?(): void;
  /** TLS was negotiated by STARTTLS. */
  secured?(tls: Secure): void;
  /** The connection is gone; called once. */
  closed?(failure: Failure | undefined): void;
}

export interface DriveOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** What STARTTLS answers with; without it the machine must not offer TLS. */
  readonly tls: TlsIdentity | undefined;
  readonly handshakeMs: number;
  /** The longest that a session may last, whatever it does; then `stop` and close. */
  readonly sessionMs: number;
}

/** How the outside reaches a running session. */
export interface Drive<Question, Fact> {
  /** Runs `make` and performs its actions as soon as no answer is owed; in order. */
  poke(make: () => Action<Question, Fact>[]): void;
  /** Ends politely (shutdown): at once when idle, else after the answer that is owed. */
  stop(): void;
  /** Ends now. */
  destroy(): void;
}

const LINGER_MS = 5_000;

/** Connects the two and starts; the session then lives by itself until the connection closes. */
export function drive<Question, Answer, Fact>(
  connection: Connection,
  machine: Machine<Question, Answer, Fact>,
  host: Host<Question, Answer, Fact>,
  options: DriveOptions,
): Drive<Question, Fact> {
  const session = new Session(connection, machine, host, options);
  session.begin();
  return session;
}

type Owed = 'nothing' | 'answer' | 'drain' | 'tls';

class Session<Question, Answer, Fact> implements Drive<Question, Fact>, Receiver {
  readonly #connection: Connection;
  readonly #machine: Machine<Question, Answer, Fact>;
  readonly #host: Host<Question, Answer, Fact>;
  readonly #options: DriveOptions;
  #out: Uint8Array[] = [];
  #inbox: Uint8Array[] = [];
  #pokes: (() => Action<Question, Fact>[])[] = [];
  #owed: Owed = 'nothing';
  #running = false;
  #paused = false;
  #congested = false;
  #peerEnded = false;
  #endTold = false;
  #closing = false;
  #gone = false;
  #deadlineAt = Infinity;
  #timer: Timer | undefined;
  #sessionTimer: Timer | undefined;

  constructor(
    connection: Connection,
    machine: Machine<Question, Answer, Fact>,
    host: Host<Question, Answer, Fact>,
    options: DriveOptions,
  ) {
    this.#connection = connection;
    this.#machine = machine;
    this.#host = host;
    this.#options = options;
  }

  begin(): void {
    const { clock, sessionMs } = this.#options;
    this.#sessionTimer = clock.after(sessionMs, () => {
      this.stop();
      this.#sessionTimer = clock.after(LINGER_MS, () => this.destroy());
    });
    this.#connection.open(this);
    this.#run(() => this.#machine.start());
  }

  poke(make: () => Action<Question, Fact>[]): void {
    this.#pokes.push(make);
    if (!this.#running && this.#owed === 'nothing') this.#run(noActions);
  }

  stop(): void {
    this.poke(() => this.#machine.stop());
  }

  destroy(): void {
    this.#connection.destroy();
  }

  received(bytes: Uint8Array): void {
    if (this.#closing) return;
    if (this.#running || this.#owed !== 'nothing' || this.#congested) {
      if (this.#owed === 'answer') this.#host.ahead?.();
      this.#inbox.push(bytes);
      this.#hold();
      return;
    }
    this.#run(() => this.#machine.receive(bytes));
  }

  drained(): void {
    this.#congested = false;
    if (this.#owed === 'drain') this.#resume(() => this.#machine.continue());
    else if (this.#owed === 'nothing' && !this.#running) this.#run(noActions);
  }

  ended(): void {
    this.#peerEnded = true;
    if (!this.#running && this.#owed === 'nothing') this.#run(noActions);
  }

  closed(failure?: Failure): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#closing = true;
    this.#timer?.cancel();
    this.#sessionTimer?.cancel();
    this.#inbox = [];
    this.#pokes = [];
    this.#host.closed?.(failure);
  }

  /** Performs lists until the machine waits for something; a bug ends this session alone. */
  #run(first: () => Action<Question, Fact>[]): void {
    this.#running = true;
    try {
      let next: (() => Action<Question, Fact>[]) | undefined = first;
      while (next !== undefined && !this.#gone) {
        next = this.#perform(next()) ?? this.#more();
      }
      this.#write();
    } catch (bug) {
      this.#broken(bug);
    } finally {
      this.#running = false;
    }
    if (!this.#gone) this.#settle();
  }

  /** What to do when nothing is owed: pokes first, then input that waited, then the end. */
  #more(): (() => Action<Question, Fact>[]) | undefined {
    if (this.#owed !== 'nothing' || this.#closing) return undefined;
    const poke = this.#pokes.shift();
    if (poke !== undefined) return poke;
    this.#write();
    if (this.#congested) return undefined;
    const bytes = this.#inbox.shift();
    if (bytes !== undefined) return () => this.#machine.receive(bytes);
    if (!this.#peerEnded || this.#endTold) return undefined;
    this.#endTold = true;
    return () => this.#machine.ended();
  }

  /** One list; the step that follows it at once, or undefined when there is none. */
  #perform(actions: Action<Question, Fact>[]): (() => Action<Question, Fact>[]) | undefined {
    for (const action of actions) {
      switch (action.kind) {
        case 'send':
          this.#out.push(action.bytes);
          break;
        case 'ask':
          return this.#ask(action.question);
        case 'body':
          return this.#body(action.bytes, action.lines);
        case 'flush':
          this.#write();
          if (!this.#congested) return () => this.#machine.continue();
          this.#owed = 'drain';
          return undefined;
        case 'start-tls':
          this.#startTls();
          return undefined;
        case 'tell':
          this.#host.tell?.(action.fact);
          break;
        case 'deadline':
          this.#setDeadline(action.ms);
          break;
        case 'close':
          this.#close(action.parted === true);
          return undefined;
      }
    }
    return undefined;
  }

  #ask(question: Question): (() => Action<Question, Fact>[]) | undefined {
    let answer: Awaitable<Answer>;
    try {
      answer = this.#host.answer(question);
    } catch (thrown) {
      const failure = this.#failure(thrown);
      return () => this.#machine.failed(failure);
    }
    if (!isPromise(answer)) {
      const value = answer;
      return () => this.#machine.answer(value);
    }
    this.#owed = 'answer';
    answer.then(
      (value) => this.#resume(() => this.#machine.answer(value)),
      (thrown: unknown) => {
        const failure = this.#failure(thrown);
        this.#resume(() => this.#machine.failed(failure));
      },
    );
    return undefined;
  }

  #body(bytes: Uint8Array, lines?: PlainLines): (() => Action<Question, Fact>[]) | undefined {
    let taken: Awaitable<void>;
    try {
      taken = this.#host.body?.(bytes, lines);
    } catch (thrown) {
      const failure = this.#failure(thrown);
      return () => this.#machine.failed(failure);
    }
    if (!isPromise(taken)) return () => this.#machine.continue();
    this.#owed = 'answer';
    taken.then(
      () => this.#resume(() => this.#machine.continue()),
      (thrown: unknown) => {
        const failure = this.#failure(thrown);
        this.#resume(() => this.#machine.failed(failure));
      },
    );
    return undefined;
  }

  #startTls(): void {
    const { tls, handshakeMs } = this.#options;
    this.#write();
    this.#inbox = [];
    if (tls === undefined) throw new Error('a machine asked for TLS that was not offered');
    this.#owed = 'tls';
    this.#connection.startTls({ side: 'server', identity: tls, handshakeMs }).then(
      (secure) => {
        this.#host.secured?.(secure);
        this.#resume(() => this.#machine.secured(secure));
      },
      () => this.#connection.destroy(),
    );
  }

  /** Something that was owed has come, in a later turn. */
  #resume(step: () => Action<Question, Fact>[]): void {
    if (this.#gone) return;
    this.#owed = 'nothing';
    this.#run(step);
  }

  #write(): void {
    if (this.#out.length === 0 || this.#gone) return;
    const bytes = concat(this.#out);
    this.#out = [];
    if (!this.#connection.write(bytes)) this.#congested = true;
  }

  /** Reads again once nothing holds the peer back. */
  #settle(): void {
    if (this.#owed !== 'nothing' || this.#congested || this.#closing) return;
    if (this.#paused && this.#inbox.length === 0) {
      this.#paused = false;
      this.#connection.resume();
    }
  }

  #hold(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#connection.pause();
  }

  #close(parted: boolean): void {
    this.#write();
    this.#closing = true;
    this.#inbox = [];
    this.#timer?.cancel();
    this.#connection.end(parted);
    // A peer that does not read must not keep the socket: what was queued gets a few seconds.
    this.#timer = this.#options.clock.after(LINGER_MS, () => this.#connection.destroy());
  }

  /** One timer a session, re-armed when it fires early: a deadline a command costs nothing. */
  #setDeadline(ms: number): void {
    const now = this.#options.clock.elapsed();
    const sooner = now + ms < this.#deadlineAt;
    this.#deadlineAt = now + ms;
    if (this.#timer === undefined || sooner) this.#arm(ms);
  }

  #arm(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(ms, () => this.#due());
  }

  #due(): void {
    if (this.#closing) return;
    const left = this.#deadlineAt - this.#options.clock.elapsed();
    // While the server itself owes an answer, or is at work, the peer is not late.
    if (left > 0 || this.#owed === 'answer' || this.#running) {
      this.#arm(Math.max(left, 1_000));
      return;
    }
    this.#deadlineAt = Infinity;
    if (this.#congested || this.#owed !== 'nothing') this.#connection.destroy();
    else this.#run(() => this.#machine.expired());
  }

  #failure(thrown: unknown): Failure {
    const failure = Failure.from(thrown);
    if (failure.code === 'unclassified') this.#report(thrown);
    return failure;
  }

  #broken(bug: unknown): void {
    this.#report(bug);
    this.#connection.destroy();
  }

  #report(bug: unknown): void {
    const { stack, message } = bug instanceof Error ? bug : new Error(String(bug));
    this.#options.log.event('error', 'session-bug', { message, stack: stack ?? message });
  }
}

function noActions(): [] {
  return [];
}

function isPromise<T>(value: Awaitable<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
