/** The IMAP server machine (RFC 3501): runs the session's task over input, answers and time. */

import type { Failure } from '#base/failure.ts';
import type { Secure } from '#base/secure.ts';
import type { Action, Machine } from '../machine.ts';
import { Input, type Want } from './input.ts';
import { IMAP_DEFAULTS, type ImapOptions } from './options.ts';
import type { ImapAnswer, ImapFact, ImapQuestion } from './questions.ts';
import { serve } from './serve.ts';
import { Session } from './session.ts';
import type { Resume, Step, Task } from './task.ts';

export type ImapAction = Action<ImapQuestion, ImapFact>;

export interface ImapMachine extends Machine<ImapQuestion, ImapAnswer, ImapFact> {
  /** The watched mailbox changed; call it only while no answer is owed. */
  changed(): ImapAction[];
}

/** A session for a connection that `secure` protects from the start, or that begins in clear. */
export function createImapMachine(
  secure: Secure | undefined,
  options: Partial<ImapOptions> = {},
): ImapMachine {
  return new TaskMachine(secure, { ...IMAP_DEFAULTS, ...options });
}

class TaskMachine implements ImapMachine {
  readonly #session: Session;
  readonly #input = new Input();
  readonly #task: Task<void>;
  #want: Want | undefined;
  #over = false;

  constructor(secure: Secure | undefined, options: ImapOptions) {
    this.#session = new Session(secure, options, this.#input);
    this.#task = serve(this.#session);
  }

  start(): ImapAction[] {
    return this.#run(undefined);
  }

  receive(bytes: Uint8Array): ImapAction[] {
    if (this.#over) return [];
    this.#input.append(bytes);
    if (this.#want === undefined) return [];
    const got = this.#input.take(this.#want);
    return got === undefined ? [] : this.#run(got);
  }

  answer(answer: ImapAnswer): ImapAction[] {
    return this.#run(answer);
  }

  failed(failure: Failure): ImapAction[] {
    return this.#over ? [] : this.#drain(this.#task.throw(failure));
  }

  continue(): ImapAction[] {
    return this.#run(undefined);
  }

  secured(tls: Secure): ImapAction[] {
    this.#session.secure = tls;
    this.#input.clear();
    return this.#run(undefined);
  }

  changed(): ImapAction[] {
    this.#session.dirty = true;
    return this.#want?.kind === 'line-or-news' ? this.#run({ kind: 'news' }) : [];
  }

  expired(): ImapAction[] {
    return this.#bye('Too long without a command');
  }

  ended(): ImapAction[] {
    return this.#bye(undefined);
  }

  stop(): ImapAction[] {
    return this.#bye('The server is going down');
  }

  /** Ends the task where it stands: its `finally` blocks give back what it holds. */
  #bye(reason: string | undefined): ImapAction[] {
    if (this.#over) return [];
    this.#task.return();
    if (reason !== undefined) this.#session.out.text(`* BYE ${reason}\r\n`);
    const actions: ImapAction[] = [];
    this.#written(actions);
    return this.#close(actions);
  }

  #run(resume: Resume): ImapAction[] {
    return this.#over ? [] : this.#drain(this.#task.next(resume));
  }

  /** Goes on as long as the input is there; the list ends where the outside has to act. */
  #drain(first: IteratorResult<Step, void>): ImapAction[] {
    const actions: ImapAction[] = [];
    let result = first;
    for (;;) {
      this.#want = undefined;
      if (result.done === true) {
        this.#written(actions);
        return this.#close(actions);
      }
      const step = result.value;
      if (step.kind !== 'read') {
        this.#written(actions);
        // A client that does not read holds a slice of memory, for so long and no longer.
        if (step.kind === 'flush') {
          actions.push({ kind: 'deadline', ms: this.#session.options.outputMs });
        }
        actions.push(step);
        return actions;
      }
      // Told even when the input is there already: the same actions in any chunking.
      this.#written(actions);
      actions.push({ kind: 'deadline', ms: step.deadlineMs });
      const got = this.#input.take(step.want);
      if (got === undefined) {
        this.#want = step.want;
        return actions;
      }
      result = this.#task.next(got);
    }
  }

  #written(actions: ImapAction[]): void {
    for (const bytes of this.#session.out.take()) actions.push({ kind: 'send', bytes });
    for (const fact of this.#session.takeFacts()) actions.push({ kind: 'tell', fact });
  }

  #close(actions: ImapAction[]): ImapAction[] {
    this.#over = true;
    this.#input.clear();
    actions.push({ kind: 'close' });
    return actions;
  }
}
