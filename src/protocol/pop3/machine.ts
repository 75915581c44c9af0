/** The POP3 server as a machine: lines in, commands at work one after the other, actions out. */

import { latin1 } from '#base/bytes.ts';
import type { Failure } from '#base/failure.ts';
import { invariant } from '#base/failure.ts';
import type { Secure } from '#base/secure.ts';
import { isForeign } from '../foreign.ts';
import type { Action, Machine } from '../machine.ts';
import * as registry from './commands/index.ts';
import { LineInput } from './line-input.ts';
import { POP3_DEFAULTS } from './options.ts';
import type { Pop3Options } from './options.ts';
import type { Pop3Answer, Pop3Fact, Pop3Question } from './questions.ts';
import type { Command, Resumption, Step, Task } from './session.ts';
import { Session } from './session.ts';

type Pop3Action = Action<Pop3Question, Pop3Fact>;

const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.values(registry).map((command) => [command.verb, command]),
);

/** `secure`: what protects the connection from its first octet (port 995). */
export class Pop3Server implements Machine<Pop3Question, Pop3Answer, Pop3Fact> {
  readonly session: Session;
  readonly #options: Pop3Options;
  readonly #input = new LineInput();
  #actions: Pop3Action[] = [];
  #task: Task | undefined;
  #waiting: Step['kind'] | 'command' | 'nothing' = 'command';
  #commands = 0;

  constructor(options: Partial<Pop3Options> = {}, secure?: Secure) {
    this.#options = { ...POP3_DEFAULTS, ...options };
    this.session = new Session(this.#options, secure, {
      emit: (bytes) => this.#actions.push({ kind: 'send', bytes }),
      tell: (fact) => this.#actions.push({ kind: 'tell', fact }),
      inputWaits: () => this.#input.hasMore,
    });
  }

  /** No `<`: that would offer APOP. No version: that would tell an attacker what to try. */
  start(): Pop3Action[] {
    this.session.ok(`${this.#options.hostname} POP3 ready`);
    this.#deadline();
    return this.#taken();
  }

  receive(bytes: Uint8Array): Pop3Action[] {
    if (this.#waiting === 'nothing') return [];
    this.#input.push(bytes);
    return this.#work();
  }

  answer(answer: Pop3Answer): Pop3Action[] {
    return this.#resume('ask', { kind: 'answer', answer });
  }

  continue(): Pop3Action[] {
    return this.#resume('flush', { kind: 'continued' });
  }

  secured(tls: Secure): Pop3Action[] {
    this.#input.drop();
    return this.#resume('start-tls', { kind: 'secured', tls });
  }

  failed(failure: Failure): Pop3Action[] {
    if (this.#waiting === 'nothing') return [];
    const task = this.#expect('ask');
    try {
      this.#step(task.throw(failure));
    } catch (thrown) {
      if (thrown !== failure) throw thrown;
      this.#fail(failure);
    }
    return this.#work();
  }

  /** RFC 1939 3: no reply, and nothing is removed. */
  expired(): Pop3Action[] {
    return this.#end();
  }

  ended(): Pop3Action[] {
    return this.#end();
  }

  stop(): Pop3Action[] {
    return this.#end();
  }

  #end(): Pop3Action[] {
    this.session.closing = true;
    this.#task = undefined;
    return this.#work();
  }

  #resume(kind: Step['kind'], resumption: Resumption): Pop3Action[] {
    // The end may have come while something was owed.
    if (this.#waiting === 'nothing') return [];
    this.#step(this.#expect(kind).next(resumption));
    return this.#work();
  }

  #expect(kind: Step['kind']): Task {
    invariant(this.#waiting === kind && this.#task !== undefined, `${kind} was waited for`);
    return this.#task;
  }

  /** Takes lines until a command waits for something else, or the session is over. */
  #work(): Pop3Action[] {
    while (!this.session.closing && (this.#waiting === 'command' || this.#waiting === 'line')) {
      const { lineBytes, saslLineBytes } = this.#options;
      const line = this.#input.next(this.#waiting === 'line' ? saslLineBytes : lineBytes);
      if (line.kind === 'more') break;
      this.#deadline();
      if (line.kind === 'line') this.#line(line.bytes);
      else this.#violation(line.kind);
    }
    if (this.session.closing && this.#task === undefined && this.#waiting !== 'nothing') {
      this.#waiting = 'nothing';
      this.#input.drop();
      this.#actions.push({ kind: 'close' });
    }
    return this.#taken();
  }

  #line(bytes: Uint8Array): void {
    if (this.#waiting === 'line') {
      this.#step(this.#expect('line').next({ kind: 'line', bytes }));
      return;
    }
    const space = bytes.indexOf(0x20);
    const verb = latin1(space < 0 ? bytes : bytes.subarray(0, space)).toUpperCase();
    const command = COMMANDS.get(verb);
    this.session.tell({ kind: 'command', verb: command?.verb ?? 'unknown' });
    if (isForeign(latin1(bytes.subarray(0, 2_048)))) {
      this.session.error('this is POP3');
      this.session.closing = true;
      return;
    }
    if (!this.#mayGoOn(bytes)) return;
    if (command === undefined) return this.session.error('unknown command');
    if (!command.phases.includes(this.session.phase)) {
      const wrong = this.session.phase === 'transaction' ? 'already logged in' : 'log in first';
      return this.session.error(wrong);
    }
    this.#run(command, space < 0 ? undefined : bytes.subarray(space + 1));
  }

  #mayGoOn(bytes: Uint8Array): boolean {
    if (bytes.includes(0) || bytes.includes(0x0d)) {
      this.session.tell({ kind: 'violation', what: 'control-character' });
      this.session.error('control characters are not allowed');
      return false;
    }
    if (this.session.phase === 'transaction') return true;
    this.#commands += 1;
    if (this.#commands <= this.#options.commandsBeforeLogin) return true;
    this.session.tell({ kind: 'violation', what: 'too-many-commands' });
    this.session.error('too many commands without a login');
    this.session.closing = true;
    return false;
  }

  #run(command: Command, argument: Uint8Array | undefined): void {
    const task = command.run(this.session, argument);
    if (task === undefined) return;
    this.#task = task;
    this.#step(task.next());
  }

  /** Notes what the command waits for now. */
  #step(result: IteratorResult<Step, void>): void {
    if (result.done === true) {
      this.#task = undefined;
      this.#waiting = 'command';
      return;
    }
    this.#waiting = result.value.kind;
    if (result.value.kind === 'line') return;
    // A long transfer is no idleness: each slice starts the timer anew.
    this.#deadline();
    this.#actions.push(result.value);
  }

  /** The world failed a command: said if it can still be said, else the connection ends. */
  #fail(failure: Failure): void {
    this.#task = undefined;
    this.#waiting = 'command';
    if (this.session.streaming) {
      this.session.closing = true;
      return;
    }
    // Waiting times are for the client; what else went wrong is for the log.
    const why = failure.code === 'login-delayed' ? failure.message : 'try again later';
    this.session.error(`[SYS/TEMP] ${why}`);
  }

  #violation(what: 'bare-lf' | 'line-too-long'): void {
    this.session.tell({ kind: 'violation', what });
    this.session.error(what === 'bare-lf' ? 'lines end in CRLF, not in LF' : 'line too long');
    this.session.closing = true;
    this.#task = undefined;
  }

  #deadline(): void {
    const { loginMs, idleMs } = this.#options;
    const ms = this.session.phase === 'transaction' ? idleMs : loginMs;
    this.#actions.push({ kind: 'deadline', ms });
  }

  #taken(): Pop3Action[] {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }
}

/** A machine for one connection. */
export function pop3Server(options: Partial<Pop3Options>, secure: Secure | undefined): Pop3Server {
  return new Pop3Server(options, secure);
}
