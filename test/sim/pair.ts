/** One stream between two machines: what is in flight, how it will end, what each side has read. */

import { latin1 } from '#base/bytes.ts';
import type { Endpoint, Timer } from '#base/world.ts';
import { End } from './end.ts';
import type { Chance } from './chance.ts';
import type { Owner, Timeline } from './timeline.ts';
import type { Weather } from './wire.ts';

export type Side = 0 | 1;

export type Item =
  | { readonly kind: 'octets'; readonly bytes: Uint8Array }
  | { readonly kind: 'fin' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'handshake' };

/** Octets that a side has read, and when. */
export interface Heard {
  readonly event: number;
  readonly atMs: number;
  readonly text: string;
}

/** What a pair needs of the network it is part of. */
export interface Around {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly weather: Weather;
  octets: number;
  latency(slow: boolean): number;
}

export class Pair {
  readonly number: number;
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly ends: readonly [End, End];
  readonly slow: boolean;
  readonly tlsFails: boolean;
  /** By reader: what the client has read, what the server has read. */
  readonly heard: readonly [Heard[], Heard[]] = [[], []];
  readonly openedAt: number;
  readonly around: Around;
  readonly #shredded: boolean;
  readonly #silent: boolean;
  /** Octets that each side may still send. */
  readonly #left: [number, number] = [Infinity, Infinity];
  readonly #lastMs: [number, number] = [0, 0];
  readonly #flying: [Timer[], Timer[]] = [[], []];
  #over = false;

  constructor(
    around: Around,
    owners: readonly [Owner, Owner],
    who: { readonly number: number; readonly client: Endpoint; readonly server: Endpoint },
  ) {
    const { chance, weather, timeline } = around;
    this.around = around;
    this.number = who.number;
    this.client = who.client;
    this.server = who.server;
    this.openedAt = timeline.events;
    this.slow = chance.odds(weather.slow);
    this.#shredded = chance.odds(weather.shredded);
    this.#silent = chance.odds(weather.silent);
    this.tlsFails = chance.odds(weather.tlsFails);
    if (chance.odds(weather.cut)) this.#left[chance.odds(0.5) ? 0 : 1] = chance.skewed(2_500);
    this.ends = [
      new End(this, 0, owners[0], who.client, who.server),
      new End(this, 1, owners[1], who.server, who.client),
    ];
  }

  /** Sends from one side to the other: in order, later, and perhaps not all of it. */
  send(from: Side, item: Item): void {
    if (this.#over) return;
    if (item.kind !== 'octets') {
      this.#fly(from, item);
      return;
    }
    // What arrives is the receiver's, and what was sent stays the sender's.
    let bytes = new Uint8Array(item.bytes);
    const left = this.#left[from];
    if (left < bytes.length) bytes = bytes.subarray(0, left);
    this.#left[from] -= bytes.length;
    for (const piece of this.#pieces(bytes)) this.#fly(from, { kind: 'octets', bytes: piece });
    if (left < item.bytes.length) this.#cut(from);
  }

  /** Notes what a side has read. */
  read(side: Side, bytes: Uint8Array): void {
    const { timeline } = this.around;
    timeline.absorb(bytes);
    this.around.octets += bytes.length;
    this.heard[side].push({
      event: timeline.events,
      atMs: timeline.nowMs,
      text: latin1(bytes),
    });
  }

  /** One machine is gone; of what it had sent, some may still arrive. */
  crash(address: string): void {
    if (this.#over) return;
    for (const side of [0, 1] as const) {
      if (this.#endpoint(side).address !== address || this.ends[side].isClosed) continue;
      const flying = this.#flying[side];
      const kept = this.around.chance.int(0, flying.length);
      for (const timer of flying.slice(kept)) timer.cancel();
      if (this.around.chance.odds(0.6)) this.#fly(side, { kind: 'reset' });
      this.ends[side].vanish();
      this.#over = true;
    }
  }

  #endpoint(side: Side): Endpoint {
    return side === 0 ? this.client : this.server;
  }

  #fly(from: Side, item: Item): void {
    const { timeline } = this.around;
    const to = this.ends[from === 0 ? 1 : 0];
    const atMs = Math.max(this.#lastMs[from], timeline.nowMs + this.around.latency(this.slow));
    this.#lastMs[from] = atMs;
    const what = `${item.kind} #${this.number}${from === 0 ? '>' : '<'}`;
    const flying = this.#flying[from];
    const timer = timeline.at(atMs - timeline.nowMs, to.owner, what, () => {
      flying.splice(flying.indexOf(timer), 1);
      to.arrive(item);
    });
    flying.push(timer);
  }

  /** The stream breaks behind the last octet: both are told, or neither. */
  #cut(from: Side): void {
    if (!this.#silent) {
      this.#fly(from, { kind: 'reset' });
      const { timeline } = this.around;
      const self = this.ends[from];
      timeline.at(this.around.latency(this.slow), self.owner, `cut #${this.number}`, () =>
        self.arrive({ kind: 'reset' }),
      );
    }
    this.#over = true;
  }

  #pieces(bytes: Uint8Array): Uint8Array[] {
    if (bytes.length === 0) return [];
    if (!this.#shredded || bytes.length < 2) return [bytes];
    const pieces: Uint8Array[] = [];
    let from = 0;
    for (let cuts = 0; cuts < 4 && from < bytes.length - 1; cuts += 1) {
      const until = from + 1 + this.around.chance.skewed(bytes.length - from - 1);
      pieces.push(bytes.subarray(from, until));
      from = until;
    }
    if (from < bytes.length) pieces.push(bytes.subarray(from));
    return pieces;
  }
}
