/** Drives a protocol machine as service/drive.ts does, and holds it to the contract of machines. */

import type { Awaitable } from '#base/brand.ts';
import { latin1 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { Secure } from '#base/secure.ts';
import type { Action, Machine } from '#protocol/machine.ts';
import { must } from './target.ts';

export const TLS = Secure.established({
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  serverName: undefined,
  peer: { kind: 'not-asked' },
  channelBinding: { exporter: Buffer.from('exporter of the test'), serverEndPoint: undefined },
});

/** The outside of a machine, and the place for what must hold between its actions. */
export interface Outside<Question, Answer, Fact> {
  answer(question: Question): Awaitable<Answer | Failure>;
  body?(bytes: Uint8Array): Failure | undefined;
  tell?(fact: Fact): void;
  /** After each list of actions; the octets that were fed so far. */
  listed?(actions: readonly Action<Question, Fact>[]): void;
  secured?(): void;
}

/** What is done besides feeding octets, at which offset. */
export type Moment = 'expired' | 'ended' | 'stop';

const EVERYTHING_ENDS = new Set(['ask', 'body', 'flush', 'start-tls', 'close']);

/** A session: everything that came out of it. */
export class Driven<Question, Answer, Fact> {
  /**
   * All but sends, which `output` has joined; what the outside acts on says how much was sent
   * before it. Neighbouring bodies are joined; deadlines stand here only if asked for.
   */
  readonly log: string[] = [];
  output = '';
  /** Octets given to the machine. */
  fed = 0;
  closed = false;
  readonly #machine: Machine<Question, Answer, Fact>;
  readonly #outside: Outside<Question, Answer, Fact>;
  readonly #deadlines: boolean;

  constructor(
    machine: Machine<Question, Answer, Fact>,
    outside: Outside<Question, Answer, Fact>,
    deadlines: boolean,
  ) {
    this.#machine = machine;
    this.#outside = outside;
    this.#deadlines = deadlines;
  }

  /** Feeds all pieces, what happens at `moments` in between; then the end of input. */
  async run(pieces: readonly Uint8Array[], moments: ReadonlyMap<number, Moment>): Promise<this> {
    await this.perform(this.#machine.start());
    for (const piece of pieces) {
      // Each piece is the machine's from now on, as a socket's buffer is.
      this.fed += piece.length;
      const actions = this.#machine.receive(piece.slice());
      must(!this.closed || actions.length === 0, 'an action after close', actions);
      await this.perform(actions);
      const moment = moments.get(this.fed);
      if (moment !== undefined && !this.closed) await this.perform(this.#machine[moment]());
    }
    if (!this.closed) await this.perform(this.#machine.ended());
    must(this.closed, 'the end of input closes');
    for (const one of ['stop', 'expired', 'ended', 'continue'] as const) {
      must(this.#machine[one]().length === 0, `an action after close: ${one}`);
    }
    return this;
  }

  async perform(first: Action<Question, Fact>[]): Promise<void> {
    for (let list: Action<Question, Fact>[] | undefined = first; list !== undefined;) {
      list = await this.#list(list);
    }
  }

  async #list(list: Action<Question, Fact>[]): Promise<Action<Question, Fact>[] | undefined> {
    must(!this.closed || list.length === 0, 'an action after close', list);
    let next: Action<Question, Fact>[] | undefined;
    for (const [index, action] of list.entries()) {
      const last = index === list.length - 1;
      must(
        last || !EVERYTHING_ENDS.has(action.kind),
        'something behind an action that ends a list',
      );
      if (last) this.#outside.listed?.(list);
      next = await this.#one(action);
    }
    return next;
  }

  async #one(action: Action<Question, Fact>): Promise<Action<Question, Fact>[] | undefined> {
    switch (action.kind) {
      case 'send':
        this.output += latin1(action.bytes);
        return undefined;
      case 'body': {
        must(action.bytes.length > 0, 'an empty body');
        this.#body(latin1(action.bytes));
        const failure = this.#outside.body?.(action.bytes);
        return failure === undefined ? this.#machine.continue() : this.#machine.failed(failure);
      }
      case 'ask': {
        this.#acts(`ask ${JSON.stringify(action.question)}`);
        const owed = this.#outside.answer(action.question);
        const answer = isPromise(owed) ? await owed : owed;
        return answer instanceof Failure
          ? this.#machine.failed(answer)
          : this.#machine.answer(answer);
      }
      case 'flush':
        return this.#machine.continue();
      case 'start-tls':
        this.#acts('start-tls');
        this.#outside.secured?.();
        return this.#machine.secured(TLS);
      case 'tell':
        this.log.push(`tell ${JSON.stringify(action.fact)}`);
        this.#outside.tell?.(action.fact);
        return undefined;
      case 'deadline':
        must(action.ms > 0 && action.ms <= 2 ** 31 - 1, 'a deadline that a timer can keep', action);
        if (this.#deadlines) this.log.push(`deadline ${action.ms}`);
        return undefined;
      case 'close':
        this.#acts('close');
        this.closed = true;
        return undefined;
    }
  }

  #acts(what: string): void {
    this.log.push(`${what} after ${this.output.length} octets`);
  }

  #body(text: string): void {
    const last = this.log.length - 1;
    if (this.log[last]?.startsWith('body ') === true) this.log[last] += text;
    else this.log.push(`body ${text}`);
  }
}

/** Every line ends with CRLF and nothing else does; none is longer than `most` (CRLF counted). */
export function mustBeLines(output: string, most: number): readonly string[] {
  if (output === '') return [];
  must(output.endsWith('\r\n'), 'output ends with a line end', output.slice(-80));
  const lines = output.slice(0, -2).split('\r\n');
  for (const line of lines) {
    must(!/[\r\n\0]/.test(line), 'a line with a bare CR, LF or NUL', line);
    must(line.length + 2 <= most, `a line over ${most} octets`, line.length, line.slice(0, 100));
  }
  return lines;
}

function isPromise<T>(value: Awaitable<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
