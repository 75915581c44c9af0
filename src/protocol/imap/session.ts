/** The state of one IMAP session: who, over what, in which mailbox (RFC 3501 3). */

import type { Secure } from '#base/secure.ts';
import type { Authenticated } from '../sasl/authenticated.ts';
import type { Input } from './input.ts';
import type { ImapOptions } from './options.ts';
import { Output } from './output.ts';
import type { ImapFact } from './questions.ts';
import type { View } from './view.ts';

export type Phase = 'unauthenticated' | 'authenticated' | 'selected';

export class Session {
  readonly options: ImapOptions;
  readonly out = new Output();
  secure: Secure | undefined;
  who: Authenticated | undefined;
  view: View | undefined;
  /** The selected mailbox changed since it was last looked at. */
  dirty = false;
  /** The task ends after the command that runs now. */
  ending = false;
  /** The client understands modification sequences (RFC 7162 3.1). */
  condstore = false;
  errors = 0;
  loginFailures = 0;
  commands = 0;
  readonly #input: Input;
  #facts: ImapFact[] = [];

  constructor(secure: Secure | undefined, options: ImapOptions, input: Input) {
    this.secure = secure;
    this.options = options;
    this.#input = input;
  }

  get phase(): Phase {
    if (this.who === undefined) return 'unauthenticated';
    return this.view === undefined ? 'authenticated' : 'selected';
  }

  /** Whether the client sent more than the command that runs now. */
  get pipelined(): boolean {
    return this.#input.length > 0;
  }

  tell(fact: ImapFact): void {
    this.#facts.push(fact);
  }

  takeFacts(): readonly ImapFact[] {
    const facts = this.#facts;
    if (facts.length > 0) this.#facts = [];
    return facts;
  }

  /** Ends without a word, because the client would take any word for a part of its literal. */
  abort(): void {
    this.out.shut();
    this.ending = true;
  }

  /** A last word, after which the connection is closed. */
  bye(text: string): void {
    this.out.text(`* BYE ${text}\r\n`);
    this.ending = true;
  }
}
