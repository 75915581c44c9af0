/** What one client network may do in a while: connections, messages, recipients, wrong guesses. */

import type { Clock } from '#base/world.ts';
import { reply } from '#protocol/smtp/reply.ts';
import type { Refusal } from '../gate.ts';
import type { ClientNetwork } from '../login/prefix.ts';
import { clientNetwork } from '../login/prefix.ts';
import { Budget } from './budget.ts';

/** Each for a /24 or a /64; 0: no limit. A /48 has four times as much for all its networks. */
export interface ClientRates {
  readonly connectionsPerMinute: number;
  readonly messagesPerMinute: number;
  readonly recipientsPerMinute: number;
  /** Recipients that do not exist, and senders here that are none: then nothing is told any more. */
  readonly unknownPerHour: number;
  /** The longest answer to an unknown recipient that is held back, milliseconds; 0: none is. */
  readonly tarpitMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const WIDER = 4;
/** Typing errors, which cost no waiting. */
const FREE_UNKNOWN = 3;
const TARPIT_STEP_MS = 1_000;
/** Answers held back at a time: more of them would hold us, not the client. */
const TARPITS = 1_000;
/** Addresses whose networks are kept at hand. */
const NETWORKS = 10_000;

/** What a name was asked for by: RCPT tells one kind of them, MAIL the other. */
type Guessed = 'unknown recipients' | 'senders of ours';
type What = 'connections' | 'messages' | 'recipients' | Guessed;

/** Counts for all listeners together. */
export class ClientLimits {
  readonly #clock: Clock;
  readonly #rates: ClientRates;
  readonly #budgets: Readonly<Record<What, readonly [narrow: Budget, wide: Budget]>>;
  readonly #networks = new Map<string, ClientNetwork>();
  #tarpits = 0;

  constructor(clock: Clock, rates: ClientRates) {
    this.#clock = clock;
    this.#rates = rates;
    const pair = (units: number, periodMs: number): [Budget, Budget] => [
      new Budget({ clock, units, periodMs }),
      new Budget({ clock, units: units * WIDER, periodMs }),
    ];
    this.#budgets = {
      connections: pair(rates.connectionsPerMinute, MINUTE_MS),
      messages: pair(rates.messagesPerMinute, MINUTE_MS),
      recipients: pair(rates.recipientsPerMinute, MINUTE_MS),
      'unknown recipients': pair(rates.unknownPerHour, HOUR_MS),
      'senders of ours': pair(rates.unknownPerHour, HOUR_MS),
    };
  }

  connection(address: string): Refusal | undefined {
    const { connectionsPerMinute } = this.#rates;
    const over = this.#take('connections', address, connectionsPerMinute, 'minute');
    return over === undefined ? undefined : { ...over, close: true };
  }

  message(address: string): Refusal | undefined {
    return this.#take('messages', address, this.#rates.messagesPerMinute, 'minute');
  }

  /**
   * One more recipient. Who guessed too often hears the same of every address, known or not: an
   * answer would tell him what he is looking for.
   */
  recipient(address: string): Refusal | undefined {
    const { recipientsPerMinute } = this.#rates;
    const refused = this.guessing('unknown recipients', address);
    return refused ?? this.#take('recipients', address, recipientsPerMinute, 'minute');
  }

  /** Who guessed too often already. */
  guessing(what: Guessed, address: string): Refusal | undefined {
    const network = this.#network(address);
    if (this.#waitMs(what, network) === 0) return undefined;
    const { unknownPerHour } = this.#rates;
    const why = `${network.narrow} asked for more than ${unknownPerHour} ${what} in an hour`;
    return refusal(RULES[what], what, why);
  }

  /** A guess that told the client something: milliseconds to let him wait for the answer. */
  guessed(what: Guessed, address: string): number {
    const network = this.#network(address);
    const [narrow, wide] = this.#budgets[what];
    narrow.charge(network.narrow);
    if (network.wide !== undefined) wide.charge(network.wide);
    const over = Math.ceil(narrow.used(network.narrow)) - FREE_UNKNOWN;
    return Math.min(this.#rates.tarpitMs, Math.max(0, over) * TARPIT_STEP_MS);
  }

  /** The answer, later; at once when too many are held back already. */
  heldBack<T>(ms: number, answer: T): T | Promise<T> {
    if (ms <= 0 || this.#tarpits >= TARPITS) return answer;
    this.#tarpits += 1;
    return new Promise((resolve) => {
      this.#clock.after(ms, () => {
        this.#tarpits -= 1;
        resolve(answer);
      });
    });
  }

  /** To read an address costs more than to count it; a session asks about the same one often. */
  #network(address: string): ClientNetwork {
    let network = this.#networks.get(address);
    if (network !== undefined) return network;
    network = clientNetwork(address);
    if (this.#networks.size >= NETWORKS) this.#networks.clear();
    this.#networks.set(address, network);
    return network;
  }

  #take(what: What, address: string, limit: number, period: string): Refusal | undefined {
    if (limit === 0) return undefined;
    const network = this.#network(address);
    if (this.#waitMs(what, network) > 0) {
      const why = `${network.narrow} had more than ${limit} ${what} in a ${period}`;
      return refusal(RULES[what], what, why);
    }
    const [narrow, wide] = this.#budgets[what];
    narrow.charge(network.narrow);
    if (network.wide !== undefined) wide.charge(network.wide);
    return undefined;
  }

  #waitMs(what: What, { narrow, wide }: ClientNetwork): number {
    const [ofNarrow, ofWide] = this.#budgets[what];
    const wait = ofNarrow.waitMs(narrow);
    return wide === undefined ? wait : Math.max(wait, ofWide.waitMs(wide));
  }
}

/** The settings that set them, which the operator looks for. */
const RULES: Readonly<Record<What, string>> = {
  connections: 'smtpd_client_connection_rate_limit',
  messages: 'smtpd_client_message_rate_limit',
  recipients: 'smtpd_client_recipient_rate_limit',
  'unknown recipients': 'smtpd_client_unknown_limit',
  'senders of ours': 'smtpd_client_unknown_limit',
};

function refusal(rule: string, what: string, why: string): Refusal {
  const said = reply(421, '4.7.0', `Too many ${what} from your network, try again later`);
  return { rule, why, reply: rule.includes('connection') ? said : { ...said, code: 450 } };
}
