/** RCPT: MAIL and many recipients in one write where PIPELINING is offered, and nothing is sent. */

import { readReply, replyText, type SmtpReply } from '../../wire/smtp.ts';
import { isLost, lossText, type Wire } from '../../wire/wire.ts';
import type { Asked, Asking, Oracle, OracleSession } from '../oracle.ts';
import { addressOf, Collected, leave, openSmtp } from './smtp.ts';

export const rcpt: Oracle = {
  name: 'rcpt',
  means: 'a recipient that is accepted',
  logsIn: false,
  open: (asking) =>
    openSmtp(asking, async (wire, keywords) => new Recipients(wire, asking, keywords)),
};

/** Reverse-paths that are tried. */
const SENDERS = 2;

class Recipients implements OracleSession {
  readonly pipelined: boolean;
  readonly #wire: Wire;
  readonly #asking: Asking;
  /** `<>` must be taken everywhere (RFC 5321 4.5.5); where it is not, one of ours. */
  readonly #senders: string[];
  #begun = false;
  #quit = false;

  constructor(wire: Wire, asking: Asking, keywords: ReadonlyMap<string, string>) {
    this.#wire = wire;
    this.#asking = asking;
    this.#senders = ['<>', `<postmaster@${asking.heloName}>`];
    this.pipelined = keywords.has('PIPELINING');
  }

  get exchange() {
    return this.#wire.exchange;
  }

  async ask(names: readonly string[], last = false): Promise<Asked> {
    if (!this.pipelined) return this.#oneByOne(names);
    const usual = this.#senders.length === SENDERS;
    const lines = names.map((name) => this.#line(name));
    if (!this.#begun) lines.unshift(`MAIL FROM:${this.#senders[0]}`);
    this.#quit = last;
    if (last) lines.push('QUIT');
    this.#wire.send(lines.map((line) => `${line}\r\n`).join(''));
    if (!this.#begun) {
      const mail = await readReply(this.#wire, this.#asking.replyMs);
      if (isLost(mail)) return { answers: [], stopped: lossText(mail) };
      if (mail.code !== 250 && last) return { answers: [], stopped: replyText(mail) };
      if (mail.code !== 250) return this.#again(names, mail);
      this.#begun = true;
    }
    const collected = new Collected(names.length, this.#asking.replyMs);
    for (const name of names) {
      if (!collected.take(name, await readReply(this.#wire, collected.patienceMs))) break;
    }
    return { ...collected.asked, smooth: usual };
  }

  close(): Promise<void> {
    return leave(this.#wire, this.#quit);
  }

  /** MAIL was refused: what was said of the recipients meant nothing. */
  async #again(names: readonly string[], mail: SmtpReply): Promise<Asked> {
    for (const name of names) {
      const lost = await readReply(this.#wire, this.#asking.replyMs);
      if (!isLost(lost)) continue;
      return { answers: [], stopped: `${replyText(mail)}; at ${name}: ${lossText(lost)}` };
    }
    this.#senders.shift();
    return this.#senders.length === 0 ? refused(names, mail) : this.ask(names);
  }

  async #oneByOne(names: readonly string[]): Promise<Asked> {
    while (!this.#begun) {
      const [sender] = this.#senders;
      this.#wire.line(`MAIL FROM:${sender}`);
      const mail = await readReply(this.#wire, this.#asking.replyMs);
      if (isLost(mail)) return { answers: [], stopped: lossText(mail) };
      this.#begun = mail.code === 250;
      if (this.#begun) break;
      this.#senders.shift();
      if (this.#senders.length === 0) return refused(names, mail);
    }
    const collected = new Collected(names.length, this.#asking.replyMs);
    for (const name of names) {
      this.#wire.line(this.#line(name));
      if (!collected.take(name, await readReply(this.#wire, collected.patienceMs))) break;
    }
    return collected.asked;
  }

  /** With `<>` always: a server may refuse everybody without (RFC 5321 4.1.1.3). */
  #line(name: string): string {
    return `RCPT TO:<${addressOf(name, this.#asking.domain)}>`;
  }
}

/** Who must log in first (RFC 4954 6) has heard the answer to every name; all else says nothing. */
function refused(names: readonly string[], mail: SmtpReply): Asked {
  if (mail.code !== 530) return { answers: [], stopped: replyText(mail) };
  const collected = new Collected(names.length, Infinity);
  for (const name of names) collected.take(name, mail);
  return collected.asked;
}
