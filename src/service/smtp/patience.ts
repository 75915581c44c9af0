/** Whether a client waits its turn: who talks before it is asked to is a program that only sends. */

import type { SmtpQuestion } from '#protocol/smtp/server/questions.ts';

/**
 * What may not be overtaken: the greeting and EHLO by anybody, MAIL and RCPT by who did not say
 * EHLO and so was not told of PIPELINING (RFC 2920 3.1). The rest is left alone: after BDAT its
 * octets follow at once, and what comes before DATA is answered the machine judges itself.
 */
export class Patience {
  #impatient = false;
  #owed: SmtpQuestion['kind'] | undefined;

  get impatient(): boolean {
    return this.#impatient;
  }

  /** A question comes up, with `ahead` octets behind its command: whether that is news. */
  asked(kind: SmtpQuestion['kind'], extended: boolean, ahead: number): boolean {
    this.#owed = kind;
    return ahead > 0 && this.ahead(extended);
  }

  /** Octets came while the answer to the last question was owed: whether that is news. */
  ahead(extended: boolean): boolean {
    const mustWait =
      this.#owed === 'connect' ||
      this.#owed === 'helo' ||
      (!extended && (this.#owed === 'mail' || this.#owed === 'rcpt'));
    const news = mustWait && !this.#impatient;
    this.#impatient ||= mustWait;
    return news;
  }
}
