/** What one POP3 session knows, and how its commands talk to the client and to the outside. */

import { utf8 } from '#base/bytes.ts';
import { invariant } from '#base/failure.ts';
import type { Secure } from '#base/secure.ts';
import type { Authenticated } from '../sasl/authenticated.ts';
import type { Pop3Options } from './options.ts';
import type { Maildrop, Pop3Answer, Pop3Fact, Pop3Question } from './questions.ts';

/** RFC 1939 3; UPDATE is QUIT's own business. */
export type Phase = 'authorization' | 'transaction';

/** What a command waits for; the machine resumes it with what came. */
export type Step =
  | { readonly kind: 'ask'; readonly question: Pop3Question }
  /** The client has taken what was sent. */
  | { readonly kind: 'flush' }
  /** The client's next line (SASL). */
  | { readonly kind: 'line' }
  | { readonly kind: 'start-tls' };

export type Resumption =
  | { readonly kind: 'answer'; readonly answer: Pop3Answer }
  | { readonly kind: 'continued' }
  | { readonly kind: 'line'; readonly bytes: Uint8Array }
  | { readonly kind: 'secured'; readonly tls: Secure };

/** A command at work. A Failure that the outside met is thrown into it. */
export type Task = Generator<Step, void, Resumption>;

export interface Command {
  /** In upper case, as clients send it in any case. */
  readonly verb: string;
  readonly phases: readonly Phase[];
  /** `argument`: what follows the first space, with the spaces; undefined: nothing followed. */
  run(session: Session, argument: Uint8Array | undefined): Task | void;
}

/** The state beside the machine's own; commands change it. */
export class Session {
  readonly options: Pop3Options;
  phase: Phase = 'authorization';
  secure: Secure | undefined;
  /** The name that USER gave, for PASS. */
  user: Uint8Array | undefined;
  login: Authenticated | undefined;
  /** Within a multi-line response: an error could no longer be told from content. */
  streaming = false;
  closing = false;
  loginFailures = 0;
  errors = 0;
  /** Octets that came after the command that runs now (STLS must know). */
  readonly inputWaits: () => boolean;
  #maildrop: Maildrop | undefined;
  #count = 0;
  #sizeBytes = 0;
  #unflushedBytes = 0;
  #deleted: Uint8Array = new Uint8Array(0);
  readonly #emit: (bytes: Uint8Array) => void;
  readonly #tell: (fact: Pop3Fact) => void;

  constructor(
    options: Pop3Options,
    secure: Secure | undefined,
    out: {
      readonly emit: (bytes: Uint8Array) => void;
      readonly tell: (fact: Pop3Fact) => void;
      readonly inputWaits: () => boolean;
    },
  ) {
    this.options = options;
    this.secure = secure;
    this.#emit = out.emit;
    this.#tell = out.tell;
    this.inputWaits = out.inputWaits;
  }

  /** Text is ours, so it is ASCII and has no line ends but its own. */
  ok(text: string): void {
    this.send(`+OK ${text}\r\n`);
  }

  /** Every error counts: a client that only makes mistakes is sent away. */
  error(text: string): void {
    this.send(`-ERR ${text}\r\n`);
    this.errors += 1;
    if (this.errors >= this.options.errors) this.closing = true;
  }

  send(text: string): void {
    this.sendBytes(utf8(text));
  }

  sendBytes(bytes: Uint8Array): void {
    this.#unflushedBytes += bytes.length;
    this.#emit(bytes);
  }

  /**
   * Waits for the client once a slice has gathered: thousands of RETR in one packet must not
   * gather thousands of messages, and small ones may share a packet.
   */
  *paced(): Task {
    if (this.#unflushedBytes < this.options.sliceBytes) return;
    this.#unflushedBytes = 0;
    yield { kind: 'flush' };
  }

  tell(fact: Pop3Fact): void {
    this.#tell(fact);
  }

  /** From here on the TRANSACTION state. */
  open(maildrop: Maildrop): void {
    this.#maildrop = maildrop;
    this.#deleted = new Uint8Array(maildrop.count);
    this.phase = 'transaction';
    this.#countAll(maildrop);
  }

  get maildrop(): Maildrop {
    invariant(this.#maildrop !== undefined, 'the maildrop is open in TRANSACTION');
    return this.#maildrop;
  }

  isDeleted(index: number): boolean {
    return this.#deleted[index] === 1;
  }

  /** Marks a message that is not marked yet. */
  delete(index: number): void {
    this.#deleted[index] = 1;
    this.#count -= 1;
    this.#sizeBytes -= this.maildrop.sizeBytes(index);
  }

  undelete(): void {
    if (this.#count === this.maildrop.count) return;
    this.#deleted.fill(0);
    this.#countAll(this.maildrop);
  }

  /** Indexes of what DELE marked, ascending. */
  deletions(): number[] {
    const indexes: number[] = [];
    for (let at = this.#deleted.indexOf(1); at >= 0; at = this.#deleted.indexOf(1, at + 1)) {
      indexes.push(at);
    }
    return indexes;
  }

  /** Messages and octets without those marked as deleted: kept, as STAT may come often. */
  get totals(): { readonly count: number; readonly sizeBytes: number } {
    return { count: this.#count, sizeBytes: this.#sizeBytes };
  }

  #countAll(maildrop: Maildrop): void {
    this.#count = maildrop.count;
    this.#sizeBytes = maildrop.totalBytes;
  }
}
