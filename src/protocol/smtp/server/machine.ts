/** The SMTP and LMTP server as a machine: octets in, actions out (RFC 5321, RFC 2033, RFC 6409). */

import { type Failure, invariant } from '#base/failure.ts';
import type { Secure } from '#base/secure.ts';
import type { LineFault } from '../../lines.ts';
import type { Machine } from '../../machine.ts';
import { type Reply, reply } from '../reply.ts';
import { type Command, type Outcome, mistake } from './command.ts';
import { Conversation, type Running, type Waiting } from './conversation.ts';
import { beginContent, contentTaken, decided, readContent, refuseContent } from './intake.ts';
import { type SmtpServerOptions, type SmtpSettings, smtpSettings } from './options.ts';
import type { SmtpAction } from './output.ts';
import type { SmtpAnswer, SmtpFact, SmtpQuestion } from './questions.ts';
import { replies } from './replies.ts';
import type { SmtpSession } from './session.ts';
import { findCommand, foreignProtocol, misplaced, type ParsedCommand } from './table.ts';
import { parseCommand, recorded, startsAuth, startsTls } from './table.ts';

/** The machine, and what the host may read of its session. */
export interface SmtpServer extends Machine<SmtpQuestion, SmtpAnswer, SmtpFact> {
  readonly session: SmtpSession;
  /** Octets that came behind the command that is being answered. */
  readonly ahead: number;
}

/**
 * A server for one connection. `secure`: TLS was negotiated before the first octet (465).
 *
 * Any chunking gives the same actions but for two violations that only chunking shows: octets
 * behind STARTTLS in clear, and content sent before DATA was answered and then refused. Both end
 * the session, so that nothing of them is read as a command.
 */
export function smtpServer(options: SmtpServerOptions, secure?: Secure): SmtpServer {
  return new SmtpMachine(smtpSettings(options), secure);
}

const FAULTS: Readonly<Record<LineFault, Reply>> = {
  'bare-cr': replies.bareCr,
  'bare-lf': replies.bareLf,
  nul: replies.nul,
};

class SmtpMachine implements SmtpServer {
  readonly #conv: Conversation;
  #skipping = false;
  #skipped = 0;

  constructor(settings: SmtpSettings, secure: Secure | undefined) {
    this.#conv = new Conversation(settings, secure);
  }

  get session(): SmtpSession {
    return this.#conv.state;
  }

  get ahead(): number {
    return this.#conv.input.buffered;
  }

  start(): SmtpAction[] {
    this.#conv.ask({ kind: 'connect' }, { kind: 'connect' });
    return this.#conv.out.take();
  }

  receive(bytes: Uint8Array): SmtpAction[] {
    if (this.#conv.closed || bytes.length === 0) return [];
    this.#conv.input.push(bytes);
    if (this.#conv.waiting?.kind === 'connect') this.#conv.violation('early-talker');
    if (this.#conv.waiting?.kind === 'tls') this.#conv.injected();
    return this.#run();
  }

  answer(answer: SmtpAnswer): SmtpAction[] {
    const waiting = this.#conv.waiting;
    if (this.#conv.closed) return [];
    invariant(waiting !== undefined && waiting.kind !== 'body', 'a question was asked');
    this.#conv.waiting = undefined;
    this.#conv.rearm = true;
    if (waiting.kind === 'command') this.#answered(waiting, answer);
    else if (waiting.kind === 'connect') this.#greet(answer);
    else decided(this.#conv, answer);
    return this.#run();
  }

  failed(failure: Failure): SmtpAction[] {
    const waiting = this.#conv.waiting;
    if (this.#conv.closed || waiting === undefined) return [];
    this.#conv.waiting = undefined;
    this.#conv.rearm = true;
    const temporary = failure.code === 'disk-full' ? replies.noRoom : replies.worldFailed;
    const refusal = failure.kind === 'temporary' ? temporary : replies.worldFailedForGood;
    if (waiting.kind === 'body') {
      refuseContent(this.#conv, refusal);
      contentTaken(this.#conv);
    } else if (waiting.kind === 'command') {
      const login = waiting.question.kind === 'sasl';
      this.#refused(waiting, login ? replies.loginUnavailable : refusal, false);
    } else if (waiting.kind === 'content-end') {
      decided(this.#conv, { kind: 'refuse', reply: refusal });
    } else {
      this.#conv.close(replies.notNow, 'connect');
    }
    return this.#run();
  }

  continue(): SmtpAction[] {
    if (this.#conv.closed || this.#conv.waiting?.kind !== 'body') return [];
    this.#conv.waiting = undefined;
    contentTaken(this.#conv);
    return this.#run();
  }

  secured(tls: Secure): SmtpAction[] {
    if (this.#conv.closed) return [];
    this.#conv.waiting = undefined;
    this.#conv.rearm = true;
    this.#conv.input.clear();
    this.#conv.state.restart(tls);
    return this.#run();
  }

  expired(): SmtpAction[] {
    if (this.#conv.closed) return [];
    const flow = this.#conv.flow;
    const said = flow?.doubtful === true ? flow.refusal : undefined;
    this.#conv.close(said ?? replies.timeout, 'timeout', said === undefined ? 1 : flow?.replies);
    return this.#conv.out.take();
  }

  ended(): SmtpAction[] {
    if (this.#conv.closed) return [];
    this.#conv.close(undefined);
    return this.#conv.out.take();
  }

  stop(): SmtpAction[] {
    if (this.#conv.closed) return [];
    this.#conv.close(replies.stopping, 'stop');
    return this.#conv.out.take();
  }

  /** Works off what is there, until it is used up or something is owed. */
  #run(): SmtpAction[] {
    while (!this.#conv.closed && this.#conv.waiting === undefined) {
      if (
        !(this.#conv.flow === undefined
          ? this.#readLine()
          : readContent(this.#conv, this.#conv.flow))
      )
        break;
    }
    if (!this.#conv.closed && this.#conv.waiting === undefined) this.#conv.setDeadline();
    return this.#conv.out.take();
  }

  #greet(answer: SmtpAnswer): void {
    if (answer.kind === 'refuse') {
      this.#conv.close(answer.reply, 'connect');
      return;
    }
    const { hostname, mode } = this.#conv.settings;
    const ours = reply(220, undefined, `${hostname} ${mode === 'lmtp' ? 'LMTP' : 'ESMTP'}`);
    const own = answer.kind === 'proceed' ? answer.reply : undefined;
    this.#conv.out.reply('connect', own ?? ours);
  }

  /** One line, if it is there: whether to go on. */
  #readLine(): boolean {
    if (this.#skipping) return this.#skip();
    const auth = this.#conv.dialogue !== undefined || startsAuth(this.#conv.input.rest());
    if (this.#conv.dialogue === undefined && startsTls(this.#conv.input.first)) {
      this.#conv.violation('foreign-protocol');
      this.#conv.close(replies.otherProtocol, '?');
      return false;
    }
    const { lineBytes, authLineBytes } = this.#conv.settings.limits;
    const line = this.#conv.input.line(auth ? authLineBytes : lineBytes);
    if (line === 'more') return false;
    this.#conv.rearm = true;
    if (line === 'too-long') {
      this.#skipping = true;
      this.#skipped = 0;
      this.#conv.dialogue = undefined;
      this.#conv.violation('line-too-long');
      this.#conv.mistake('?', auth ? replies.authLineTooLong : replies.lineTooLong);
    } else if (typeof line === 'string') {
      this.#conv.violation(line);
      this.#conv.close(FAULTS[line], '?');
    } else if (this.#conv.dialogue !== undefined) {
      this.#converse(this.#conv.dialogue, line);
    } else {
      this.#command(line);
    }
    return true;
  }

  /** The rest of a line that was too long. */
  #skip(): boolean {
    const most = this.#conv.settings.limits.skippedBytes;
    const { result, skipped } = this.#conv.input.skipLine(most - this.#skipped + 1);
    this.#skipped += skipped;
    if (this.#skipped > most) {
      this.#conv.close(replies.tooManyErrors, '?');
      return false;
    }
    if (result === 'more') return false;
    this.#skipping = false;
    if (result !== 'done') {
      this.#conv.violation(result);
      this.#conv.close(FAULTS[result], '?');
    }
    return true;
  }

  #command(bytes: Uint8Array): void {
    const line = parseCommand(bytes);
    if (this.#conv.tooMany()) {
      this.#conv.close(replies.tooManyCommands, recorded(line));
      return;
    }
    const command = findCommand(line.verb, this.#conv.state);
    if (command === undefined) {
      this.#unknown(line);
      return;
    }
    const refusal = misplaced(command, this.#conv.state);
    const outcome =
      refusal === undefined
        ? command.check(line.argument, this.#conv.state)
        : (command.refused?.(line.argument, refusal) ?? mistake(refusal));
    this.#perform(outcome, command, line);
  }

  /** No command of ours: of another protocol, or of nobody's. */
  #unknown(line: ParsedCommand): void {
    if (foreignProtocol(line.verb)) {
      this.#conv.violation('foreign-protocol');
      this.#conv.close(replies.otherProtocol, recorded(line));
      return;
    }
    const said = line.verb === '' ? replies.emptyCommand : replies.unknownCommand;
    this.#conv.unknown(recorded(line), said);
  }

  #perform(outcome: Outcome, command: Command, line: ParsedCommand): void {
    switch (outcome.kind) {
      case 'say':
        this.#saying(outcome, command, line);
        break;
      case 'ask': {
        const running = { command, line, input: outcome.input };
        const { question } = outcome;
        this.#conv.ask(question, { kind: 'command', running, question });
        break;
      }
      case 'content':
        if (outcome.reply !== undefined) this.#conv.out.reply(recorded(line), outcome.reply);
        beginContent(this.#conv, outcome, recorded(line));
        break;
      case 'dialogue':
        this.#conv.dialogue = { command, line, input: outcome.input };
        this.#conv.out.reply(line.verb, outcome.reply);
        break;
      case 'start-tls':
        if (this.#conv.input.buffered > 0) {
          this.#conv.injected();
          break;
        }
        this.#conv.out.reply(line.verb, outcome.reply);
        this.#conv.waiting = { kind: 'tls' };
        this.#conv.out.push({ kind: 'start-tls' });
        break;
    }
  }

  #saying(outcome: Outcome & { kind: 'say' }, command: Command, line: ParsedCommand): void {
    const name = recorded(line);
    if (outcome.close === 'parted') {
      this.#conv.part(outcome.reply, name);
    } else if (outcome.close === true) {
      this.#conv.close(outcome.reply, name);
    } else if (command.waits === true && this.#conv.input.buffered > 0) {
      // Content that was sent before DATA was answered: read as commands it would be somebody's.
      this.#conv.violation('early-content');
      this.#conv.close(outcome.reply, name);
    } else if (outcome.mistake === true) {
      this.#conv.mistake(name, outcome.reply);
    } else {
      this.#conv.out.reply(name, outcome.reply);
    }
  }

  #converse(dialogue: Running, bytes: Uint8Array): void {
    this.#conv.dialogue = undefined;
    const { command, line, input } = dialogue;
    invariant(command.line !== undefined, 'a command that holds a dialogue reads its lines');
    this.#perform(command.line(input, bytes, this.#conv.state), command, line);
  }

  #answered(waiting: Waiting & { kind: 'command' }, answer: SmtpAnswer): void {
    if (answer.kind === 'refuse') {
      this.#refused(waiting, answer.reply, answer.close === true);
      return;
    }
    const { command, line, input } = waiting.running;
    const expected = waiting.question.kind === 'sasl' ? 'sasl' : 'proceed';
    invariant(answer.kind === expected, `${answer.kind} answers ${waiting.question.kind}`);
    invariant(command.proceed !== undefined, 'a command that asks can go on');
    if (waiting.question.kind === 'rcpt') this.#conv.recipient();
    this.#perform(command.proceed(input, this.#conv.state, answer), command, line);
  }

  /** The outside said no: to this command alone, or to the transaction when content was next. */
  #refused(waiting: Waiting & { kind: 'command' }, refusal: Reply, close: boolean): void {
    const { command, line } = waiting.running;
    const { transaction } = this.#conv.state;
    if (transaction !== undefined && waiting.question.kind === 'rcpt') {
      transaction.refusedRecipients += 1;
    }
    if (waiting.question.kind === 'data') this.#conv.state.drop();
    const said: Outcome = close
      ? { kind: 'say', reply: refusal, close }
      : (command.refused?.(line.argument, refusal) ?? { kind: 'say', reply: refusal });
    // A refusal from outside is no mistake of the client's.
    const outcome = said.kind === 'content' ? { ...said, mistake: false } : said;
    this.#perform(outcome, command, line);
  }
}
