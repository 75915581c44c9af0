/** The network of the simulation: hosts, connects that fail, streams that are cut; all from a seed. */

import { Failure } from '#base/failure.ts';
import type { Connection, Network } from '#base/world.ts';
import type { Chance } from './chance.ts';
import { Pair } from './pair.ts';
import type { Owner, Timeline } from './timeline.ts';

/** How bad the network is just now: shares of connections that fare so. */
export interface Weather {
  /** Cut after some octet in either direction. */
  cut: number;
  /** Of those cut: nobody is told, the octets just vanish (half-open). */
  silent: number;
  /** Every piece in several segments. */
  shredded: number;
  refused: number;
  /** Connects that get no answer at all. */
  lost: number;
  /** Handshakes that fail. */
  tlsFails: number;
  /** The longest latency of a usual connection; slow ones take a hundred times as long. */
  latencyMs: number;
  slow: number;
}

export const CALM: Weather = {
  cut: 0,
  silent: 0,
  shredded: 0,
  refused: 0,
  lost: 0,
  tlsFails: 0,
  latencyMs: 20,
  slow: 0,
};

interface Listening {
  readonly owner: Owner;
  readonly accept: (connection: Connection) => void;
}

/** A machine on the network. */
export interface WireHost {
  readonly name: string;
  readonly address: string;
  readonly listeners: Map<number, Listening>;
  /** Its power is off: nobody even says that nobody is there. */
  dark: boolean;
}

/** All machines and all connections that ever were. */
export class Wire {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly pairs: Pair[] = [];
  weather: Weather = CALM;
  /** How many were read, in all. */
  octets = 0;
  readonly #hosts = new Map<string, WireHost>();
  readonly #owner: Owner = { name: 'wire', alive: true };
  #port = 30_000;

  constructor(timeline: Timeline, chance: Chance) {
    this.timeline = timeline;
    this.chance = chance;
  }

  host(name: string, address: string): WireHost {
    const host = { name, address, listeners: new Map(), dark: false };
    this.#hosts.set(address, host);
    return host;
  }

  nameOf(address: string): string {
    return this.#hosts.get(address)?.name ?? address;
  }

  /** The network as `owner` on `host` has it. */
  network(host: WireHost, owner: Owner): Network {
    return {
      listen: async ({ port }, accept) => {
        if (host.listeners.has(port)) {
          throw Failure.permanent('port-in-use', `port ${port} is in use`);
        }
        host.listeners.set(port, { owner, accept });
        return {
          local: { address: host.address, port },
          close: async () => void host.listeners.delete(port),
        };
      },
      connect: ({ address, port, timeoutMs }) =>
        this.#connect(host, owner, { address, port }, timeoutMs),
    };
  }

  /** The machine stops between two events; what it had sent may or may not be on its way. */
  crash(host: WireHost): void {
    host.listeners.clear();
    for (const pair of this.pairs) pair.crash(host.address);
  }

  latency(slow: boolean): number {
    const { latencyMs } = this.weather;
    return 1 + this.chance.int(0, latencyMs) * (slow ? 100 : 1);
  }

  #connect(
    host: WireHost,
    owner: Owner,
    to: { readonly address: string; readonly port: number },
    timeoutMs: number,
  ): Promise<Connection> {
    const { timeline, chance, weather } = this;
    return new Promise((resolve, reject) => {
      const late = timeline.at(timeoutMs, owner, 'connect-late', () => {
        reject(Failure.temporary('timeout', `${to.address} did not answer in time`));
      });
      const fail = (code: string): void => {
        timeline.at(this.latency(false), owner, code, () => {
          late.cancel();
          reject(Failure.temporary(code, `${to.address}:${to.port} ${code}`));
        });
      };
      const fate = { lost: chance.odds(weather.lost), refused: chance.odds(weather.refused) };
      timeline.at(this.latency(false), this.#owner, 'syn', () => {
        const there = this.#hosts.get(to.address);
        if (there?.dark === true || fate.lost) return;
        const listening = there?.listeners.get(to.port);
        if (listening === undefined || fate.refused) {
          fail(there === undefined ? 'unreachable' : 'connection-refused');
          return;
        }
        if (!owner.alive) return;
        this.#port = this.#port >= 60_000 ? 30_000 : this.#port + 1;
        const pair = new Pair(this, [owner, listening.owner], {
          number: this.pairs.length,
          client: { address: host.address, port: this.#port },
          server: to,
        });
        this.pairs.push(pair);
        timeline.at(0, listening.owner, 'accept', () => listening.accept(pair.ends[1]));
        timeline.at(this.latency(pair.slow), owner, 'connected', () => {
          late.cancel();
          resolve(pair.ends[0]);
        });
      });
    });
  }
}
