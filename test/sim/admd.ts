/** One whole Postern of the simulation: boots, crashes, stops; composed exactly as in production. */

import type { Json, JsonObject } from '#base/json.ts';
import type { Log, Metrics, Resolver, TlsIdentity, World } from '#base/world.ts';
import { type Host, openHost } from '#command/serve/host.ts';
import { readConfiguration } from '#command/configuration/read.ts';
import type { Settings } from '#command/configuration/settings.ts';
import { openStore } from '#engine/store.ts';
import type { EngineStore } from '#engine/sqlite.ts';
import type { Credentials } from '#store/directory.ts';
import type { Domain } from '#base/brand.ts';
import { Chance } from './chance.ts';
import type { Disk } from './disk.ts';
import type { Owner } from './timeline.ts';
import type { Wire, WireHost } from './wire.ts';

/** Who has mail here, as the simulation knows it by itself. */
export interface Directory {
  readonly domain: string;
  readonly accounts: readonly string[];
  readonly aliases: ReadonlyMap<string, readonly string[]>;
}

export interface AdmdParts {
  readonly seed: number;
  readonly wire: Wire;
  readonly machine: WireHost;
  readonly disk: Disk;
  readonly directory: Directory;
  readonly credentials: Credentials;
  readonly resolver: (owner: Owner) => Resolver;
  /** Something that must never be logged was. */
  readonly bug: (text: string) => void;
}

export const LIFETIME_HOURS = 3;

export class Admd {
  readonly directory: Directory;
  readonly hostname: string;
  readonly machine: WireHost;
  readonly disk: Disk;
  readonly wall = { offsetMs: 0 };
  /** When it crashed, as numbers of events. */
  readonly crashes: number[] = [];
  state: 'down' | 'starting' | 'up' | 'stopping' = 'down';
  owner: Owner;
  store: EngineStore | undefined;
  readonly #parts: AdmdParts;
  readonly #settings: Settings;
  #host: Host | undefined;
  #cleanups: (() => unknown)[] = [];
  #boots = 0;

  constructor(parts: AdmdParts) {
    this.#parts = parts;
    this.directory = parts.directory;
    this.machine = parts.machine;
    this.disk = parts.disk;
    this.hostname = `mx.${parts.directory.domain}`;
    this.#settings = settingsOf(this.hostname, parts.machine.address);
    this.owner = { name: `${parts.directory.domain}/0`, alive: false };
  }

  boot(): void {
    this.#boots += 1;
    const owner = { name: `${this.directory.domain}/${this.#boots}`, alive: true };
    this.owner = owner;
    this.state = 'starting';
    this.machine.dark = false;
    const { wire, bug } = this.#parts;
    wire.timeline.at(0, owner, 'boot', () => {
      this.#start(owner).catch((thrown: unknown) => bug(`boot: ${String(thrown)}`));
    });
  }

  /** The power goes between two events: memory and connections are gone, the disk is what it is. */
  crash(dark: boolean): void {
    const { wire } = this.#parts;
    this.crashes.push(wire.timeline.events);
    this.owner.alive = false;
    this.machine.dark = dark;
    wire.crash(this.machine);
    this.disk.cutPower();
    this.store = undefined;
    this.#host = undefined;
    this.#cleanups = [];
    this.state = 'down';
  }

  /** SIGTERM: what production does until the process ends. */
  stop(): void {
    const { wire, bug } = this.#parts;
    const host = this.#host;
    if (host === undefined) return;
    this.state = 'stopping';
    const end = async (): Promise<void> => {
      await host.stop();
      for (const cleanup of this.#cleanups.toReversed()) await cleanup();
      this.owner.alive = false;
      wire.crash(this.machine);
      this.crashes.push(wire.timeline.events);
      this.store = undefined;
      this.#host = undefined;
      this.#cleanups = [];
      this.state = 'down';
    };
    wire.timeline.at(0, this.owner, 'stop', () => {
      end().catch((thrown: unknown) => bug(`stop: ${String(thrown)}`));
    });
  }

  async #start(owner: Owner): Promise<void> {
    const { seed, wire, machine, disk } = this.#parts;
    const random = new Chance(seed, owner.name);
    const clock = wire.timeline.clock(owner, this.wall);
    const log = this.#log();
    const world: World = {
      clock,
      random,
      log,
      metrics: NO_METRICS,
      network: wire.network(machine, owner),
      resolver: this.#parts.resolver(owner),
    };
    const store = await openStore({
      directory: disk.directory,
      thread: false,
      log,
      now: () => clock.now(),
      foreignCheckMs: 0,
      limits: { minimumFreeBytes: 0 },
    });
    this.store = store;
    this.#cleanups = [() => store.close()];
    if (this.#boots === 1) await this.#furnish(store);
    this.#host = await openHost(
      {
        settings: this.#settings,
        world,
        store,
        tls: IDENTITY,
        installationKey: new Chance(seed, this.hostname).bytes(32),
        demo: false,
        ownAddresses: new Set([machine.address]),
        renew: async () => undefined,
      },
      this.#cleanups,
    );
    disk.settled();
    this.state = 'up';
  }

  async #furnish(store: EngineStore): Promise<void> {
    const { credentials } = this.#parts;
    const { domain, accounts, aliases } = this.directory;
    const nowMs = 0;
    await Promise.all([
      store.write('addDomain', { name: domain as Domain }),
      ...accounts.map((address) => store.write('addAccount', { address, credentials, nowMs })),
      ...[...aliases].map(([address, targets]) => store.write('setAlias', { address, targets })),
    ]);
  }

  /** Nothing that the program calls a bug may ever happen. */
  #log(): Log {
    const { wire, bug } = this.#parts;
    const name = this.directory.domain;
    return {
      event: (level, what, fields) => {
        wire.timeline.note(`${name} ${level} ${what} ${brief(fields)}`);
        if (BUGS.has(what)) bug(`${name}: ${what} ${JSON.stringify(fields)}`);
      },
    };
  }
}

/** Events that only a mistake in the program can cause. */
const BUGS = new Set([
  'session-bug',
  'accept-bug',
  'watcher-failed',
  'queue.transfer-broke',
  'queue.original-unreadable',
]);

const IDENTITY: TlsIdentity = { kind: 'tls-identity', names: ['simulated'], notAfterMs: 1e15 };

const NO_METRICS: Metrics = {
  count: () => undefined,
  gauge: () => undefined,
  observe: () => undefined,
};

function brief(fields: JsonObject | undefined): string {
  if (fields === undefined) return '';
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${shown(value).slice(0, 200)}`)
    .join(' ');
}

function shown(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

function settingsOf(hostname: string, address: string): Settings {
  const toml = `
myhostname = "${hostname}"
data_directory = "/simulated"
inet_interfaces = ["${address}"]
inet_protocols = "ipv4"
imap_listen = []
imaps_listen = []
pop3_listen = []
pop3s_listen = []
queue_minfree = "1M"
maximal_queue_lifetime = "${LIFETIME_HOURS}h"
bounce_queue_lifetime = "${LIFETIME_HOURS}h"
delay_warning_time = "30m"
maximal_backoff_time = "1000s"
`;
  const facts = { hostname, stateDirectory: '/simulated', gateways: [] };
  const result = readConfiguration(toml, facts);
  if (result.kind === 'good') return result.settings;
  throw new Error(result.problems.map(({ name, cause }) => `${name} ${cause}`).join('\n'));
}
