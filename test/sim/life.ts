/** One seed from its first boot to the verdict: storms, crashes, clocks that jump, then calm. */

import { join } from 'node:path';
import type { Credentials } from '#store/directory.ts';
import { Admd, LIFETIME_HOURS } from './admd.ts';
import { Chance } from './chance.ts';
import { Disk } from './disk.ts';
import { ForeignServer } from './foreign.ts';
import { Judge, type Tally } from './judge.ts';
import type { Machine } from './machine.ts';
import { Names } from './names.ts';
import { type Platter, countQueue, readPlatter } from './platter.ts';
import { BREAKS, PASSWORD, type Posting, bodyOf, post } from './posting.ts';
import { DAY, HOUR, MINUTE, type Owner, SECOND, Timeline } from './timeline.ts';
import { type Town, makeTown } from './town.ts';
import { UidWatch } from './uids.ts';
import { CALM, Wire } from './wire.ts';

export interface Verdict extends Tally {
  readonly seed: number;
  readonly violations: readonly string[];
  /** Of everything that happened, in order. */
  readonly digest: string;
  readonly events: number;
  readonly simulatedMs: number;
  readonly messages: number;
  readonly crashes: number;
}

export interface LifeOptions {
  readonly machine: Machine;
  readonly root: string;
  readonly credentials: Credentials;
  readonly told: ((line: string) => void) | undefined;
}

const MOST_EVENTS = 150_000;
const MOST_OCTETS = 60_000_000;
/** After the storm everything has to come to an end within this time. */
const PATIENCE_MS = (2 * LIFETIME_HOURS + 3) * HOUR;

/** Lives it. */
export async function live(seed: number, options: LifeOptions): Promise<Verdict> {
  const life = new Life(seed, options);
  try {
    return await life.run();
  } finally {
    life.clear();
  }
}

class Life {
  readonly #seed: number;
  readonly #options: LifeOptions;
  readonly #chance: Chance;
  readonly #owner: Owner = { name: 'fate', alive: true };
  readonly #timeline: Timeline;
  readonly #wire: Wire;
  readonly #names: Names;
  readonly #town: Town;
  readonly #disks = new Map<string, Disk>();
  readonly #admds: Admd[] = [];
  readonly #postings: Posting[] = [];
  readonly #bugs: string[] = [];
  readonly #uids = new UidWatch();
  readonly #stormMs: number;
  #posting = 0;

  constructor(seed: number, options: LifeOptions) {
    this.#seed = seed;
    this.#options = options;
    this.#chance = new Chance(seed, 'fate');
    this.#timeline = new Timeline(this.#owner);
    this.#timeline.told = options.told;
    this.#wire = new Wire(this.#timeline, new Chance(seed, 'wire'));
    this.#names = new Names(this.#timeline, new Chance(seed, 'names'));
    this.#town = makeTown(new Chance(seed, 'town'));
    this.#stormMs = this.#chance.int(10, 120) * MINUTE;
  }

  async run(): Promise<Verdict> {
    const { machine } = this.#options;
    const diskChance = new Chance(this.#seed, 'disk-time');
    const slow = this.#chance.odds(0.2);
    machine.enter({
      timeline: this.#timeline,
      chance: new Chance(this.#seed, 'machine'),
      disks: this.#disks,
      diskDelayMs: () => diskChance.skewed(slow && diskChance.odds(0.1) ? 40 * SECOND : 30),
    });
    this.#build();
    await this.#until(() => this.#admds.every(({ state }) => state === 'up'), 'boot');
    this.#plan();
    await this.#until(() => this.#isQuiet(), 'quiet');
    return this.#verdict();
  }

  clear(): void {
    this.#options.machine.enter(undefined);
    for (const disk of this.#disks.values()) disk.remove();
  }

  async #until(done: () => boolean, what: string): Promise<void> {
    const over = (): boolean => this.#bugs.length > 20 || this.#wire.octets > MOST_OCTETS;
    const how = await this.#timeline.run(() => over() || done(), MOST_EVENTS);
    if (this.#wire.octets > MOST_OCTETS) this.#bugs.push('growing: too much on the wire');
    if (how !== 'done') this.#bugs.push(`${what}: ${how} after ${this.#timeline.events} events`);
  }

  #build(): void {
    const { credentials, root } = this.#options;
    for (const [index, directory] of this.#town.directories.entries()) {
      const place = join(root, String(this.#seed), directory.domain);
      const disk = new Disk(place, new Chance(this.#seed, `disk ${directory.domain}`));
      this.#disks.set(place, disk);
      const machine = this.#wire.host(directory.domain, `198.51.100.${index + 1}`);
      const admd = new Admd({
        seed: this.#seed,
        wire: this.#wire,
        machine,
        disk,
        directory,
        credentials,
        resolver: (owner) => this.#names.resolver(owner),
        bug: (text) => void this.#bugs.push(text),
      });
      this.#admds.push(admd);
      this.#names.domains.set(directory.domain, { kind: 'mx', hosts: [[10, admd.hostname]] });
      this.#names.hosts.set(admd.hostname, [machine.address]);
      admd.boot();
    }
    this.#buildForeign();
  }

  #buildForeign(): void {
    for (const [index, { domain, manner }] of this.#town.foreign.entries()) {
      const chance = new Chance(this.#seed, domain);
      const server = new ForeignServer(this.#timeline, chance, domain, manner);
      const host = this.#wire.host(domain, `203.0.113.${index + 1}`);
      const accept = (connection: Parameters<ForeignServer['accept']>[0]): void =>
        server.accept(connection);
      host.listeners.set(25, { owner: server.owner, accept });
      const down: (readonly [number, string])[] = chance.odds(0.3) ? [[5, 'dark.example.net']] : [];
      this.#names.domains.set(domain, { kind: 'mx', hosts: [...down, [10, `mx.${domain}`]] });
      this.#names.hosts.set(`mx.${domain}`, [host.address]);
    }
    for (const [domain, zone] of this.#town.strange) this.#names.domains.set(domain, zone);
    this.#wire.host('dark', '192.0.2.66').dark = true;
    this.#names.hosts.set('dark.example.net', ['192.0.2.66']);
    this.#names.hosts.set('localhost.example', ['127.0.0.1', '0.0.0.0']);
  }

  /** Everything that fate has in store, decided beforehand. */
  #plan(): void {
    const chance = this.#chance;
    this.#storm();
    for (let n = chance.int(6, 24); n > 0; n -= 1) this.#planPosting(3);
    const cuts = chance.odds(0.8) ? chance.int(1, 8) : 0;
    for (let n = 0; n < cuts; n += 1) this.#planCrash();
    for (let n = chance.odds(0.3) ? 1 : 0; n > 0; n -= 1) {
      this.#sometime(() => chance.pick(this.#admds).stop());
    }
    for (let n = chance.odds(0.25) ? chance.int(1, 2) : 0; n > 0; n -= 1) {
      const admd = chance.pick(this.#admds);
      this.#sometime(() => {
        admd.wall.offsetMs += chance.int(1, 9) * DAY;
      });
    }
    this.#later(this.#stormMs, () => this.#calm());
    this.#wakeUp();
  }

  #storm(): void {
    const chance = this.#chance;
    const bad = (most: number): number =>
      chance.odds(0.5) ? (most * chance.int(0, 100)) / 100 : 0;
    this.#wire.weather = {
      cut: bad(0.4),
      silent: bad(0.5),
      shredded: bad(0.7),
      refused: bad(0.3),
      lost: bad(0.2),
      tlsFails: bad(0.3),
      latencyMs: chance.skewed(300),
      slow: bad(0.1),
    };
    this.#names.failing = bad(0.3);
    for (const disk of this.#disks.values()) disk.troubles = chance.odds(0.2) ? 0.1 : 0;
  }

  #calm(): void {
    this.#wire.weather = CALM;
    this.#names.failing = 0;
    for (const disk of this.#disks.values()) disk.troubles = 0;
  }

  /** Somebody looks after the hosts: what is down comes up again. */
  #wakeUp(): void {
    for (const admd of this.#admds) {
      if (admd.state === 'down') admd.boot();
    }
    this.#later(this.#chance.int(1, 15) * MINUTE, () => this.#wakeUp());
  }

  /** At some event, not at some time: between any two that have to do with the host. */
  #planCrash(): void {
    const chance = this.#chance;
    const admd = chance.pick(this.#admds);
    this.#sometime(() => this.#crashSoon(admd, chance.skewed(120)));
  }

  #crashSoon(admd: Admd, events: number): void {
    const { owner } = admd;
    let left = events;
    const before = this.#timeline.watch;
    this.#timeline.watch = () => {
      before?.();
      if (this.#timeline.current !== owner || left < 0) return;
      left -= 1;
      if (left >= 0) return;
      this.#crash(admd);
    };
  }

  #crash(admd: Admd): void {
    const chance = this.#chance;
    this.#timeline.note(`crash of ${admd.directory.domain} while ${admd.state}`);
    this.#uids.look(admd, admd.disk.directory);
    admd.crash(chance.odds(0.5));
    // Up again at once, now and then, and cut once more while it still recovers.
    if (!chance.odds(0.5)) return;
    this.#later(chance.skewed(10 * MINUTE), () => {
      if (admd.state !== 'down') return;
      admd.boot();
      if (chance.odds(0.4) && this.#timeline.nowMs < this.#stormMs) {
        this.#crashSoon(admd, chance.skewed(12));
      }
    });
  }

  #sometime(task: () => void): void {
    this.#later(this.#chance.int(0, this.#stormMs), task);
  }

  #later(ms: number, task: () => void): void {
    this.#timeline.at(ms, this.#owner, 'fate', task);
  }

  #planPosting(tries: number): void {
    this.#posting += 1;
    const own = new Chance(this.#seed, `posting ${this.#posting}`);
    this.#later(own.int(0, this.#stormMs), () => void this.#post(this.#letter(own), own, tries));
  }

  async #post(posting: Posting, own: Chance, tries: number): Promise<void> {
    const admd = this.#admds.find(({ directory }) => directory.domain === posting.via);
    if (admd === undefined) return;
    this.#posting += 1;
    const place = `192.0.2.${(this.#posting % 60) + 1}`;
    const name = `client of ${posting.token}`;
    const owner = { name, alive: true };
    const network = this.#wire.network(this.#wire.host(name, place), owner);
    await post(posting, {
      network,
      timeline: this.#timeline,
      owner,
      address: admd.machine.address,
      chance: own,
      password: PASSWORD,
    });
    this.#timeline.note(`${posting.token} ${posting.outcome} ${posting.id ?? ''}`);
    // As clients do: again later, as a message of its own, whose fate is known by its own token.
    if (posting.outcome === 'ok' || posting.breaks !== undefined || tries <= 1) return;
    const again = this.#copyOf(posting);
    this.#later(own.int(1, 20) * MINUTE, () => void this.#post(again, own, tries - 1));
  }

  #copyOf(posting: Posting): Posting {
    const token = `T${this.#seed}-${this.#postings.length}`;
    const again: Posting = { ...posting, token, accepted: [], outcome: 'none', id: undefined };
    this.#postings.push(again);
    return again;
  }

  #letter(own: Chance): Posting {
    const { directories, foreign, strange } = this.#town;
    const directory = own.pick(directories);
    const user = own.odds(0.6);
    const somebody = own.pick(own.pick(directories).accounts);
    const login = user ? own.pick(directory.accounts) : undefined;
    const senders = ['', somebody, `x@${own.pick(foreign).domain}`, 'spoof@nowhere.example'];
    const here = [...directory.accounts, ...directory.aliases.keys(), `nobody@${directory.domain}`];
    const elsewhere = [
      ...foreign.flatMap(({ domain }) => [`x@${domain}`, `y@${domain}`]),
      ...[...strange.keys()].map((domain) => `z@${domain}`),
      ...directories.flatMap(({ accounts }) => accounts),
      ...directories.map(({ domain }) => `nobody@${domain}`),
      ...directories.flatMap(({ aliases }) => [...aliases.keys()]),
    ];
    const all = own.odds(user ? 0.3 : 0.7) ? here : elsewhere;
    const posting: Posting = {
      token: `T${this.#seed}-${this.#postings.length}`,
      via: directory.domain,
      login,
      sender: login ?? own.pick(senders),
      recipients: own.some(all, own.int(1, 4)),
      body: bodyOf(own),
      never: own.odds(0.05),
      breaks: own.odds(0.2) ? own.pick(BREAKS) : undefined,
      deaf: own.odds(0.1),
      accepted: [],
      outcome: 'none',
      id: undefined,
    };
    this.#postings.push(posting);
    return posting;
  }

  #lookedMs = 0;

  /** Calm for a while, all hosts up, nothing queued; or too late. */
  #isQuiet(): boolean {
    const { nowMs } = this.#timeline;
    if (nowMs < this.#stormMs + HOUR || nowMs < this.#lookedMs + 10 * MINUTE) return false;
    this.#lookedMs = nowMs;
    const waiting = this.#admds.reduce((sum, admd) => {
      return admd.state === 'up' ? sum + countQueue(admd.disk.directory) : Infinity;
    }, 0);
    if (waiting === 0) return true;
    if (nowMs < this.#stormMs + PATIENCE_MS) return false;
    this.#bugs.push(`unfinished: ${waiting} recipients still wait`);
    return true;
  }

  /** The last cut is for all: what counts is what is on disk. */
  #verdict(): Verdict {
    const platters = new Map<Admd, Platter>();
    const crashes = this.#admds.reduce((sum, admd) => sum + admd.crashes.length, 0);
    for (const admd of this.#admds) {
      admd.crash(true);
      const platter = readPlatter(admd.disk.directory);
      platters.set(admd, platter);
      this.#uids.check(admd.directory.domain, platter);
    }
    const judge = new Judge({
      admds: this.#admds,
      platters,
      postings: this.#postings,
      pairs: this.#wire.pairs,
    });
    return {
      seed: this.#seed,
      violations: [...new Set([...this.#bugs, ...judge.violations(), ...this.#uids.violations])],
      digest: this.#timeline.digest(),
      events: this.#timeline.events,
      simulatedMs: this.#timeline.nowMs,
      ...judge.tally(),
      messages: this.#postings.length,
      crashes,
    };
  }
}
