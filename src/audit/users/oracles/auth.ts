/** SMTP AUTH with a password that is nobody's: does the server tell which login it knows? */

import { utf8, asBuffer } from '#base/bytes.ts';
import { ask, readReply, type SmtpReply } from '../../wire/smtp.ts';
import { isLost, lossText, type Lost, type Wire } from '../../wire/wire.ts';
import { nobodysPassword } from '../controls.ts';
import type { Asked, Asking, Oracle, OracleSession } from '../oracle.ts';
import { isLimit, smtpSignature, type Answer } from '../signature.ts';
import { leave, openSmtp } from './smtp.ts';

export const auth: Oracle = {
  name: 'auth',
  means: 'a login that is known',
  logsIn: true,
  open: (asking) =>
    openSmtp(
      asking,
      async (wire, keywords) => {
        const offered = new Set((keywords.get('AUTH') ?? '').toUpperCase().split(' '));
        const mechanism = ['LOGIN', 'PLAIN'].find((name) => offered.has(name));
        if (mechanism !== undefined) return new Logins(wire, asking, mechanism);
        return offered.has('') ? 'AUTH is not offered' : 'neither LOGIN nor PLAIN is offered';
      },
      'offered',
    ),
};

class Logins implements OracleSession {
  readonly pipelined = false;
  readonly #wire: Wire;
  readonly #asking: Asking;
  readonly #mechanism: string;

  constructor(wire: Wire, asking: Asking, mechanism: string) {
    this.#wire = wire;
    this.#asking = asking;
    this.#mechanism = mechanism;
  }

  get exchange() {
    return this.#wire.exchange;
  }

  async ask(names: readonly string[]): Promise<Asked> {
    const answers: Answer[] = [];
    for (const name of names) {
      const reply = await this.#attempt(name);
      if (isLost(reply)) return { answers, stopped: lossText(reply) };
      if (isLimit(reply)) return { answers, stopped: reply.lines.join(' ') };
      answers.push({ name, signature: smtpSignature(reply, name), ms: reply.ms });
    }
    return { answers, stopped: undefined };
  }

  close(): Promise<void> {
    return leave(this.#wire);
  }

  /** The last reply, with where in the exchange it came: a refusal of the name alone tells it. */
  async #attempt(name: string): Promise<SmtpReply | Lost> {
    const password = nobodysPassword(this.#asking.random);
    const steps = this.#mechanism === 'LOGIN' ? [name, password] : [`\0${name}\0${password}`];
    const { replyMs } = this.#asking;
    let reply = await ask(this.#wire, `AUTH ${this.#mechanism}`, replyMs);
    let taken = 0;
    let ms = 0;
    for (const step of steps) {
      if (isLost(reply) || reply.code !== 334) break;
      this.#wire.line(asBuffer(utf8(step)).toString('base64'));
      reply = await readReply(this.#wire, replyMs);
      taken += 1;
      ms += isLost(reply) ? 0 : reply.ms;
    }
    if (isLost(reply)) return reply;
    return { ...reply, lines: [`${reply.lines.join(' ')} (step ${'i'.repeat(taken)})`], ms };
  }
}
