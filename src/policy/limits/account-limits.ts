/** What one account may send in a while: beyond it mail is held, and at last refused for now. */

import type { Address } from '#base/address.ts';
import { addressKey } from '#base/address.ts';
import type { Clock } from '#base/world.ts';
import type { Authenticated } from '#protocol/sasl/authenticated.ts';
import { reply } from '#protocol/smtp/reply.ts';
import type { ContentVerdict } from '../gate.ts';
import { Budget } from './budget.ts';
import type { Memory } from './memory.ts';
import { memoryKey } from './memory.ts';

/** 0: no limit. */
export interface AccountRates {
  readonly messagesPerHour: number;
  readonly recipientsPerHour: number;
  /** Recipients that this account never wrote to before: a stolen password shows there first. */
  readonly newRecipientsPerDay: number;
  /** Messages that are held in a day: a stolen password shall not fill the disk, either. */
  readonly heldPerDay: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Counts accepted submissions; what is over a limit counts too, so that a flood stays held. */
export class AccountLimits {
  readonly #rates: AccountRates;
  readonly #written: Memory;
  readonly #messages: Budget;
  readonly #recipients: Budget;
  readonly #strangers: Budget;
  readonly #held: Budget;

  /** `written`: whom each account has written to, as it is remembered. */
  constructor(clock: Pick<Clock, 'elapsed'>, rates: AccountRates, written: Memory) {
    this.#rates = rates;
    this.#written = written;
    this.#messages = new Budget({ clock, units: rates.messagesPerHour, periodMs: HOUR_MS });
    this.#recipients = new Budget({ clock, units: rates.recipientsPerHour, periodMs: HOUR_MS });
    this.#strangers = new Budget({
      clock,
      units: rates.newRecipientsPerDay,
      periodMs: DAY_MS,
    });
    this.#held = new Budget({ clock, units: rates.heldPerDay, periodMs: DAY_MS });
  }

  /** One message is about to be taken in: whether it is held, or comes again later, and why. */
  sending(login: Authenticated, recipients: readonly Address[]): ContentVerdict | undefined {
    const name = `${login.account}`;
    const keys = recipients.map((one) => writtenKey(login.address, addressKey(one)));
    const strangers = keys.filter((key) => this.#written.find(key) === undefined).length;
    const { messagesPerHour, recipientsPerHour, newRecipientsPerDay } = this.#rates;
    const over =
      used(
        this.#messages,
        name,
        1,
        'account_message_limit',
        `${messagesPerHour} messages an hour`,
      ) ??
      used(
        this.#recipients,
        name,
        keys.length,
        'account_recipient_limit',
        `${recipientsPerHour} recipients an hour`,
      ) ??
      used(
        this.#strangers,
        name,
        strangers,
        'account_new_recipient_limit',
        `${newRecipientsPerDay} recipients a day that it never wrote to before`,
      );
    this.#messages.charge(name);
    this.#recipients.charge(name, keys.length);
    this.#strangers.charge(name, strangers);
    // Those of a flood are no acquaintances: what it reaches stays new.
    if (over === undefined) for (const key of keys) this.#written.see(key);
    if (over === undefined) return undefined;
    if (this.#held.take(name) > 0) return this.#refused(login);
    const why = `held: ${login.address} sent more than ${over.limit}; \`postern queue release\``;
    return { kind: 'hold', rule: over.rule, why };
  }

  /** Its program keeps the message, and says so to whoever sits before it. */
  #refused({ address }: Authenticated): ContentVerdict {
    const why = `${address} has more than ${this.#rates.heldPerDay} messages held in a day`;
    const text = 'Too many messages of yours are held here, try again later';
    return { kind: 'refuse', rule: 'account_held_limit', why, reply: reply(450, '4.7.1', text) };
  }
}

/** The key under which an account remembers somebody it wrote to. */
export function writtenKey(account: string, other: string): string {
  return memoryKey('written', account, other);
}

function used(
  budget: Budget,
  name: string,
  units: number,
  rule: string,
  limit: string,
): { readonly rule: string; readonly limit: string } | undefined {
  return units > 0 && budget.waitMs(name, units) > 0 ? { rule, limit } : undefined;
}
