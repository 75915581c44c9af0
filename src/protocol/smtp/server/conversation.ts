/** What commands and content share of a session: input, output, patience, and how it ends. */

import type { Secure } from '#base/secure.ts';
import { LineReader } from '../../lines.ts';
import type { Reply } from '../reply.ts';
import type { Command } from './command.ts';
import type { Flow } from './flow.ts';
import type { SmtpSettings } from './options.ts';
import { Output } from './output.ts';
import type { SmtpQuestion } from './questions.ts';
import { replies } from './replies.ts';
import { SmtpState } from './session.ts';
import type { ParsedCommand } from './table.ts';

/** A command that is being carried out. */
export interface Running {
  readonly command: Command;
  readonly line: ParsedCommand;
  readonly input: unknown;
}

/** What the driver owes. */
export type Waiting =
  | { readonly kind: 'connect' | 'body' | 'content-end' | 'tls' }
  | { readonly kind: 'command'; readonly running: Running; readonly question: SmtpQuestion };

export class Conversation {
  readonly settings: SmtpSettings;
  readonly state: SmtpState;
  readonly input = new LineReader();
  readonly out = new Output();
  waiting: Waiting | undefined;
  flow: Flow | undefined;
  dialogue: Running | undefined;
  closed = false;
  /** The client has done something since the last deadline was set. */
  rearm = true;
  #errors = 0;
  #unknown = 0;
  #commands = 0;

  constructor(settings: SmtpSettings, secure: Secure | undefined) {
    this.settings = settings;
    this.state = new SmtpState(settings, secure, (fact) => this.out.tell(fact));
  }

  ask(question: SmtpQuestion, waiting: Waiting): void {
    this.waiting = waiting;
    this.out.push({ kind: 'ask', question });
  }

  violation(what: string): void {
    this.out.tell({ kind: 'violation', what });
  }

  /** One more command: whether there were too many without a message. */
  tooMany(): boolean {
    this.#commands += 1;
    return this.#commands > this.settings.limits.commands;
  }

  /** An accepted recipient has a limit of its own, which may be higher than that of commands. */
  recipient(): void {
    this.#commands -= 1;
  }

  /** A message was accepted: commands are counted anew. */
  useful(): void {
    this.#commands = 0;
  }

  unknown(command: string, said: Reply): void {
    this.#unknown += 1;
    const much = this.#unknown >= this.settings.limits.unknownCommands;
    if (much) this.close(replies.tooManyErrors, command);
    else this.mistake(command, said);
  }

  /** A reply to something that the client should not have done: there is an end to patience. */
  mistake(command: string, said: Reply): void {
    this.#errors += 1;
    if (this.#errors >= this.settings.limits.errors) this.close(replies.tooManyErrors, command);
    else this.out.reply(command, said);
  }

  /** RFC 3207 6, CVE-2011-0411: what came in clear behind STARTTLS was not meant for TLS. */
  injected(): void {
    this.violation('starttls-injection');
    const said = this.waiting?.kind === 'tls' ? undefined : replies.injectedBeforeTls;
    this.close(said, 'STARTTLS');
  }

  /** The last words, and the end. */
  close(last: Reply | undefined, command = '', count = 1): void {
    if (last !== undefined) {
      for (let said = 0; said < count; said++) this.out.reply(command, last);
    }
    this.#end();
    this.out.push({ kind: 'close' });
  }

  /** The answer to QUIT: nothing more is to come, for no command may follow it (RFC 2920 3.1). */
  part(last: Reply, command: string): void {
    this.out.reply(command, last);
    this.#end();
    this.out.push({ kind: 'close', parted: true });
  }

  #end(): void {
    this.closed = true;
    this.waiting = undefined;
    this.flow = undefined;
    this.dialogue = undefined;
    this.input.clear();
    this.state.drop();
  }

  /**
   * Only progress moves the deadline: a line that is complete, or enough content. A client that
   * sends an octet now and then does not hold a session open.
   */
  setDeadline(): void {
    const { limits } = this.settings;
    const { flow } = this;
    if (flow?.doubtful === true) {
      this.out.push({ kind: 'deadline', ms: limits.doubtfulEndMs });
    } else if (this.rearm) {
      const ms = flow === undefined ? limits.idleMs : limits.dataIdleMs;
      this.out.push({ kind: 'deadline', ms });
      if (flow !== undefined) flow.fresh = 0;
    }
    this.rearm = flow?.doubtful === true;
  }
}
