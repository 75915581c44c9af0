/** What a run may cost its target: connections, pace, messages, octets; spent before they are used. */

import { Failure } from '#base/failure.ts';
import type { Clock } from '#base/world.ts';
import type { Level } from '../check.ts';
import { Crowd, type Holder } from './crowd.ts';

export interface BudgetLimits {
  readonly connections: number;
  /** Open at the same time, all probes together. */
  readonly atOnce: number;
  readonly connectionsPerSecond: number;
  /** Times that content is begun (DATA, BDAT). */
  readonly messages: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** How hard a target may be pressed: on loopback nobody else suffers. */
export type Distance = 'loopback' | 'private' | 'public';

const MOST_SHARES = 8;

/**
 * The limits of a level; a hostile server's endless talk is cut by `receivedBytes`. Each address of
 * one's own has its share of connections: a server on IPv4 and IPv6 with seven ports needs it.
 */
export function budgetFor(level: Level, distance: Distance, addresses = 1): BudgetLimits {
  const shares = distance === 'public' ? 1 : Math.min(Math.max(addresses, 1), MOST_SHARES);
  // Tests of content are refused because of their hops: begun, and never delivered.
  const messages = { passive: 0, safe: 40, active: 5_000, intrusive: 8_000 };
  const connections = { passive: 50, safe: 1_000, active: 4_000, intrusive: 40_000 };
  const pace = { loopback: 1_000, private: 100, public: 5 };
  // Exim serves 20 connections in all, of everybody (smtp_accept_max): room is left for others.
  const atOnce = { loopback: 14, private: 12, public: 4 };
  return {
    connections: connections[level] * shares,
    // Whether connections have a limit is asked at level intrusive alone.
    atOnce: level === 'intrusive' && distance !== 'public' ? 256 : atOnce[distance],
    connectionsPerSecond: pace[distance],
    messages: messages[level],
    sentBytes: level === 'intrusive' ? 1_073_741_824 : 67_108_864,
    receivedBytes: 268_435_456,
  };
}

/** Counts down; what is over fails with `budget-spent`, permanent. */
export class Budget {
  readonly limits: BudgetLimits;
  readonly clock: Clock;
  readonly #waiting: { readonly holder: Holder; readonly enter: () => void }[] = [];
  readonly #held = new Map<Holder, number>();
  readonly #crowds = new Map<string, Crowd>();
  #nextMs = 0;
  #open = 0;
  #connections = 0;
  #messages = 0;
  #sentBytes = 0;
  #receivedBytes = 0;

  constructor(limits: BudgetLimits, clock: Clock) {
    this.limits = limits;
    this.clock = clock;
  }

  /** For the report. */
  get spent() {
    return {
      connections: this.#connections,
      messages: this.#messages,
      sentBytes: this.#sentBytes,
      receivedBytes: this.#receivedBytes,
    };
  }

  /** Waits for a place and for its turn; `release` gives the place back. */
  async connection(holder: Holder): Promise<void> {
    if (this.#connections >= this.limits.connections) throw over('connections');
    this.#connections += 1;
    if (this.#open < this.limits.atOnce) this.#take(holder);
    else await new Promise<void>((enter) => this.#waiting.push({ holder, enter }));
    const now = this.clock.elapsed();
    const turn = Math.max(now, this.#nextMs);
    this.#nextMs = turn + 1_000 / this.limits.connectionsPerSecond;
    if (turn - now >= 1) {
      await new Promise<void>((resolve) => void this.clock.after(turn - now, resolve));
    }
  }

  /** A connection ended: its place goes to whoever has fewest, and of those waits longest. */
  release(holder: Holder): void {
    this.#open -= 1;
    const held = this.#heldBy(holder);
    if (held > 1) this.#held.set(holder, held - 1);
    else this.#held.delete(holder);
    const fewest = Math.min(...this.#waiting.map((waiting) => this.#heldBy(waiting.holder)));
    const first = this.#waiting.findIndex((waiting) => this.#heldBy(waiting.holder) === fewest);
    const [next] = first < 0 ? [] : this.#waiting.splice(first, 1);
    if (next === undefined) return;
    this.#take(next.holder);
    next.enter();
  }

  /** Who is at this address just now. */
  crowd(address: string): Crowd {
    const known = this.#crowds.get(address);
    if (known !== undefined) return known;
    const crowd = new Crowd(this.clock);
    this.#crowds.set(address, crowd);
    return crowd;
  }

  /** Whether some server took fewer of us at once than came: all then takes longer. */
  get crowded(): boolean {
    return this.#crowds.values().some(({ bears }) => bears !== undefined);
  }

  message(): void {
    if (this.#messages >= this.limits.messages) throw over('messages');
    this.#messages += 1;
  }

  sent(octets: number): void {
    this.#sentBytes += octets;
    if (this.#sentBytes > this.limits.sentBytes) throw over('sentBytes');
  }

  /** False when no more may come in. */
  received(octets: number): boolean {
    this.#receivedBytes += octets;
    return this.#receivedBytes <= this.limits.receivedBytes;
  }

  #take(holder: Holder): void {
    this.#open += 1;
    this.#held.set(holder, this.#heldBy(holder) + 1);
  }

  #heldBy(holder: Holder): number {
    return this.#held.get(holder) ?? 0;
  }
}

function over(what: keyof BudgetLimits): Failure {
  return Failure.permanent('budget-spent', `the run's budget of ${what} is used up`);
}
