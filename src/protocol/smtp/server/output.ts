/** The list of actions that a machine is making: replies joined, facts and deadlines in order. */

import type { Action } from '../../machine.ts';
import { type Reply, formatReply } from '../reply.ts';
import type { SmtpFact, SmtpQuestion } from './questions.ts';

export type SmtpAction = Action<SmtpQuestion, SmtpFact>;

export class Output {
  #actions: SmtpAction[] = [];
  #text = '';

  /** A reply for the peer, and for the record. */
  reply(command: string, reply: Reply): void {
    this.#text += formatReply(reply);
    this.tell({ kind: 'replied', command, reply });
  }

  tell(fact: SmtpFact): void {
    this.#actions.push({ kind: 'tell', fact });
  }

  /** What was said goes out before it. */
  push(action: SmtpAction): void {
    this.#send();
    this.#actions.push(action);
  }

  /** The list, which is then the driver's. */
  take(): SmtpAction[] {
    this.#send();
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }

  #send(): void {
    if (this.#text === '') return;
    this.#actions.push({ kind: 'send', bytes: Buffer.from(this.#text, 'utf8') });
    this.#text = '';
  }
}
