/** The order of work: due rows in memory, taken in turn by message, within limits by destination. */

import type { Domain, QueueId } from '#base/brand.ts';
import type { DueRecipient } from '#store/queue.ts';

export interface LaneLimits {
  /** Jobs at the same time. */
  readonly slots: number;
  /** Of these, for one message: one huge mailing leaves room for others. */
  readonly slotsPerMessage: number;
  /**
   * Jobs of one destination whose answers are not on disk yet: while there are so many no further
   * one begins. With those that are talking at that moment, they are what a crash sends twice.
   */
  readonly unwrittenPerDomain: number;
  /** Recipients in one job. */
  readonly recipientsPerJob: number;
  /** Rows kept in memory; the others stay on disk until there is room. */
  readonly rows: number;
  readonly rowsPerDomain: number;
}

/** Some rows of one message for one destination, leased until `done`. */
export interface LaneJob {
  readonly id: QueueId;
  readonly domain: Domain;
  readonly numbers: readonly number[];
}

interface Message {
  readonly id: QueueId;
  readonly known: Set<number>;
  readonly groups: Map<Domain, Group>;
  readonly ready: Set<Group>;
  running: number;
}

interface Destination {
  readonly name: Domain;
  readonly parked: Set<Group>;
  rows: number;
  running: number;
  unwritten: number;
}

interface Group {
  readonly message: Message;
  readonly destination: Destination;
  numbers: number[];
}

/**
 * Messages take turns in a ring, and each turn is one job; what must wait for its destination is
 * parked there and does not stand in anybody's way. A row is known from `offer` to `done`, so it
 * is never handed out twice at the same time.
 */
export class Lanes {
  readonly #limits: LaneLimits;
  /** How many jobs a destination may have at this moment. */
  readonly #allowance: (domain: Domain) => number;
  readonly #messages = new Map<QueueId, Message>();
  readonly #destinations = new Map<Domain, Destination>();
  readonly #ring = new Set<Message>();
  /** Jobs whose place at the destination is free again. */
  readonly #sent = new Set<LaneJob>();
  /** Whether a row found no room; whoever looks at all rows again says no. */
  turnedAway = false;
  #rows = 0;
  #running = 0;

  constructor(limits: LaneLimits, allowance: (domain: Domain) => number) {
    this.#limits = limits;
    this.#allowance = allowance;
  }

  /** Rows known: waiting for their turn or leased. */
  get rows(): number {
    return this.#rows;
  }

  get running(): number {
    return this.#running;
  }

  /** Takes in a due row; false when it is known already, or must wait on disk for room. */
  offer(row: DueRecipient): boolean {
    const message = this.#messages.get(row.id);
    if (message?.known.has(row.number) === true) return false;
    if (!this.#hasRoom(row.domain)) {
      this.turnedAway = true;
      return false;
    }
    this.#add(message ?? this.#newMessage(row.id), row);
    return true;
  }

  /** The next job, or undefined when nothing may start now. */
  take(): LaneJob | undefined {
    for (const message of this.#ring) {
      if (this.#running >= this.#limits.slots) return undefined;
      this.#ring.delete(message);
      // Comes back when one of its jobs is done.
      if (message.running >= this.#limits.slotsPerMessage) continue;
      const job = this.#next(message);
      if (message.ready.size > 0) this.#ring.add(message);
      if (job !== undefined) return job;
    }
    return undefined;
  }

  /** A job needs its destination no more: its place there is free, its rows stay leased. */
  sent(job: LaneJob): void {
    const destination = this.#destinations.get(job.domain);
    if (destination === undefined || this.#sent.has(job)) return;
    this.#sent.add(job);
    destination.running -= 1;
    destination.unwritten += 1;
    this.#release(destination);
  }

  /**
   * Ends a job. Its rows are forgotten: they are settled, or found again on disk. `keep` frees
   * the job's place and leaves the rows leased for as long as the process lives.
   */
  done(job: LaneJob, rows: 'forget' | 'keep' = 'forget'): void {
    const message = this.#messages.get(job.id);
    const destination = this.#destinations.get(job.domain);
    if (message === undefined || destination === undefined) return;
    if (rows === 'forget') {
      for (const number of job.numbers) message.known.delete(number);
      this.#rows -= job.numbers.length;
      destination.rows -= job.numbers.length;
    }
    this.#running -= 1;
    message.running -= 1;
    if (this.#sent.delete(job)) destination.unwritten -= 1;
    else destination.running -= 1;
    if (message.ready.size > 0) this.#ring.add(message);
    if (message.known.size === 0 && message.running === 0) this.#messages.delete(job.id);
    this.#release(destination);
    if (destination.rows === 0 && destination.running + destination.unwritten === 0) {
      this.#destinations.delete(destination.name);
    }
  }

  #next(message: Message): LaneJob | undefined {
    const [group] = message.ready;
    if (group === undefined) return undefined;
    message.ready.delete(group);
    const { destination } = group;
    if (this.#room(destination) <= 0) {
      destination.parked.add(group);
      return undefined;
    }
    const numbers = group.numbers.slice(0, this.#limits.recipientsPerJob);
    group.numbers = group.numbers.slice(numbers.length);
    if (group.numbers.length > 0) message.ready.add(group);
    else message.groups.delete(destination.name);
    this.#running += 1;
    message.running += 1;
    destination.running += 1;
    return { id: message.id, domain: destination.name, numbers };
  }

  #add(message: Message, row: DueRecipient): void {
    const destination = this.#destinationOf(row.domain);
    message.known.add(row.number);
    this.#rows += 1;
    destination.rows += 1;
    const group = message.groups.get(row.domain);
    if (group !== undefined) {
      group.numbers.push(row.number);
      return;
    }
    const fresh: Group = { message, destination, numbers: [row.number] };
    message.groups.set(row.domain, fresh);
    message.ready.add(fresh);
    if (message.running < this.#limits.slotsPerMessage) this.#ring.add(message);
  }

  /** Lets as many parked groups go on as the destination has free places. */
  #release(destination: Destination): void {
    let free = this.#room(destination);
    for (const group of destination.parked) {
      if (free <= 0) return;
      free -= 1;
      destination.parked.delete(group);
      group.message.ready.add(group);
      this.#ring.add(group.message);
    }
  }

  /** How many jobs may begin there now; what is only put off sends nothing, so nothing twice. */
  #room({ name, running, unwritten }: Destination): number {
    const allowed = this.#allowance(name);
    if (allowed === Number.POSITIVE_INFINITY) return allowed;
    return unwritten < this.#limits.unwrittenPerDomain ? allowed - running : 0;
  }

  #hasRoom(domain: Domain): boolean {
    if (this.#rows >= this.#limits.rows) return false;
    return (this.#destinations.get(domain)?.rows ?? 0) < this.#limits.rowsPerDomain;
  }

  #newMessage(id: QueueId): Message {
    const message: Message = {
      id,
      known: new Set(),
      groups: new Map(),
      ready: new Set(),
      running: 0,
    };
    this.#messages.set(id, message);
    return message;
  }

  #destinationOf(name: Domain): Destination {
    const found = this.#destinations.get(name);
    if (found !== undefined) return found;
    const fresh: Destination = {
      name,
      parked: new Set(),
      rows: 0,
      running: 0,
      unwritten: 0,
    };
    this.#destinations.set(name, fresh);
    return fresh;
  }
}
