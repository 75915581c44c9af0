/** One probe at one target: run under its own guard and deadline, its outcomes made complete. */

import { latin1, utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { Secret } from '#base/secret.ts';
import type { World } from '#base/world.ts';
import type { Level } from '../check.ts';
import { type Exchange, type Outcome, type Target, unclear } from '../finding.ts';
import type { Probe, ProbeContext, ProbeDialOptions, ProbeOptions } from '../probe.ts';
import { GuardedNetwork, type GuardOptions } from '../safety/guard.ts';
import { type Service, targetOf } from '../service.ts';
import { isRefusal, REFUSAL_BYTES } from '../discover/greeting.ts';
import { dial, type Dialled } from '../wire/dial.ts';
import type { Wire } from '../wire/wire.ts';

/** What all tasks of a run have in common. */
export interface TaskGround {
  readonly world: Pick<World, 'clock' | 'network' | 'random' | 'resolver'>;
  readonly guard: GuardOptions;
  readonly options: ProbeOptions;
  readonly level: Level;
}

export type TaskSubject =
  | { readonly scope: 'service'; readonly service: Service; readonly services: readonly Service[] }
  | {
      readonly scope: 'host';
      readonly host: string;
      readonly address: string;
      readonly services: readonly Service[];
    }
  | { readonly scope: 'domain'; readonly domain: string; readonly services: readonly Service[] };

export interface Task {
  readonly probe: Probe;
  readonly subject: TaskSubject;
}

/** Findings keep so many connections as evidence; a check that passed needs one. */
const EVIDENCE = { found: 6, other: 1 };

/**
 * Runs it; never throws for what the target or the probe does. One outcome for each check.
 * `limitMs` is the probe's own time: what it waits for others is added, up to `runLeftMs` in all.
 */
export async function runTask(
  task: Task,
  ground: TaskGround,
  limitMs: number,
  runLeftMs = limitMs,
): Promise<readonly Outcome[]> {
  const told = new Map<string, Outcome>();
  const network = new GuardedNetwork(ground.world.network, ground.guard);
  const { clock } = ground.world;
  const now = clock.elapsed();
  const until = { ownMs: now + limitMs, runMs: now + Math.max(limitMs, runLeftMs) };
  const bench = new Bench(task, ground, network, until, (outcome) => keep(told, outcome));
  const late = Promise.withResolvers<Failure>();
  const ends = (): void => {
    const leftMs = bench.leftMs();
    if (leftMs >= 1) {
      timer = clock.after(leftMs, ends);
      return;
    }
    const text = `the probe was not done within ${Math.round(limitMs)} ms`;
    late.resolve(Failure.temporary('timeout', text));
  };
  let timer = clock.after(limitMs, ends);
  // A probe that throws later, when its connections are gone, was given up already.
  const running = bench.run().then(
    () => undefined,
    (thrown: unknown) => Failure.from(thrown),
  );
  const failure = await Promise.race([running, late.promise]);
  timer.cancel();
  bench.over = true;
  network.closeAll();
  const reason = failure?.message ?? 'the probe did not say';
  const evidence = bench.evidence(EVIDENCE.found);
  return task.probe.checks.map(
    (check) => told.get(check.id) ?? unclear(check, reason, { evidence }),
  );
}

/** Where the findings of a task are made. */
export function taskTarget({ subject }: Task): Target {
  if (subject.scope === 'service') return targetOf(subject.service);
  if (subject.scope === 'domain') {
    return { host: subject.domain, address: '', port: 0, protocol: 'dns', tls: 'none' };
  }
  const { host, address } = subject;
  return { host, address, port: 0, protocol: 'host', tls: 'none' };
}

const GRAVITY = { confirmed: 3, likely: 2, inconclusive: 1, 'not-observed': 0 };

/** The graver outcome stays; of two equally grave ones the first, which says how it began. */
function keep(told: Map<string, Outcome>, outcome: Outcome): void {
  const before = told.get(outcome.check.id);
  if (before === undefined || GRAVITY[outcome.confidence] > GRAVITY[before.confidence]) {
    told.set(outcome.check.id, outcome);
  }
}

/** When a probe's own time is over, and the run's. */
interface Until {
  readonly ownMs: number;
  readonly runMs: number;
}

/** How often a server that is full is asked again for one connection. */
const TURNS = 5;
/** Who refuses does it at once; a greeting that comes later is read by whoever wants it. */
const REFUSAL_MS = 1_000;

/** Whether a server greets as it did when it was found, or refuses for having too many. */
async function greetsWith(wire: Wire, service: Service): Promise<'served' | 'refused' | 'other'> {
  const octets = await wire.peek(REFUSAL_BYTES, REFUSAL_MS);
  if (octets.length === 0) return wire.over ? 'refused' : 'other';
  const word = latin1(octets);
  if (isRefusal(service.greeting)) return 'other';
  return isRefusal(word) ? 'refused' : 'served';
}

/** What a probe works with, and what it opened. */
class Bench {
  readonly #task: Task;
  readonly #ground: TaskGround;
  readonly #network: GuardedNetwork;
  readonly #until: Until;
  readonly #keep: (outcome: Outcome) => void;
  readonly #wires: (Wire | Exchange)[] = [];
  /** What comes later comes too late. */
  over = false;

  constructor(
    task: Task,
    ground: TaskGround,
    network: GuardedNetwork,
    until: Until,
    keep: (outcome: Outcome) => void,
  ) {
    this.#task = task;
    this.#ground = ground;
    this.#network = network;
    this.#until = until;
    this.#keep = keep;
  }

  async run(): Promise<void> {
    const { probe, subject } = this.#task;
    const { recipients } = this.#ground.guard;
    const common = this.#context();
    if (probe.scope === 'service' && subject.scope === 'service') {
      const { service, services } = subject;
      const dialHere = (options?: ProbeDialOptions) => this.#dial(service, options);
      await probe.run({ ...common, service, services, recipients, dial: dialHere });
    } else if (probe.scope === 'host' && subject.scope === 'host') {
      const { host, address, services } = subject;
      const dialThere = (service: Service, options?: ProbeDialOptions) =>
        this.#dial(service, options);
      await probe.run({ ...common, host, address, services, recipients, dial: dialThere });
    } else if (probe.scope === 'domain' && subject.scope === 'domain') {
      await probe.run({ ...common, domain: subject.domain, services: subject.services });
    }
  }

  /** Milliseconds until it is cut off. */
  leftMs(): number {
    const { ownMs, runMs } = this.#until;
    const untilMs = Math.min(ownMs + this.#network.waitedMs, runMs);
    return Math.max(0, untilMs - this.#ground.world.clock.elapsed());
  }

  /** The last connections, as they stand now. */
  evidence(most: number): readonly Exchange[] {
    return this.#wires.slice(-most).map((one) => ('turns' in one ? one : one.exchange));
  }

  #context(): ProbeContext {
    const { world, options, level } = this.#ground;
    return {
      world: { clock: world.clock, network: this.#network },
      random: world.random,
      resolver: world.resolver,
      options,
      level,
      tell: (outcome) => this.#tell(outcome),
      leftMs: () => this.leftMs(),
      token: (count = 12) => token(world.random.bytes(count)),
    };
  }

  #tell(outcome: Outcome): void {
    if (this.over) return;
    const passed = outcome.confidence === 'not-observed';
    const most = passed ? EVIDENCE.other : EVIDENCE.found;
    const given = outcome.evidence.length > 0 ? outcome.evidence : this.evidence(most);
    this.#keep({ ...outcome, evidence: given.slice(-most) });
  }

  /** A server that is full is left alone for a while, then asked again. */
  async #dial(service: Service, options: ProbeDialOptions = {}): Promise<Dialled> {
    const crowd = this.#ground.guard.budget.crowd(service.endpoint.address);
    const silent = service.tls === 'implicit' && options.tls === null;
    for (let turn = 1; ; turn += 1) {
      const dialled = await this.#dialOnce(service, options);
      const looked = dialled.kind === 'open' && options.bare !== true && !silent;
      const told = looked ? await greetsWith(dialled.wire, service) : 'other';
      if (told === 'served') crowd.served();
      if (told === 'refused') crowd.refused();
      const again = told === 'refused' && turn < TURNS && !crowd.hopeless && !this.over;
      if (!again || dialled.kind !== 'open') return this.#kept(dialled);
      dialled.wire.close();
    }
  }

  #kept(dialled: Dialled): Dialled {
    const { account } = this.#ground.options;
    if (dialled.kind === 'open') {
      const { wire } = dialled;
      this.#wires.push(wire);
      if (account !== undefined) conceal(wire, account.login, account.password.reveal());
    } else this.#wires.push(dialled.exchange);
    return dialled;
  }

  async #dialOnce(service: Service, options: ProbeDialOptions): Promise<Dialled> {
    const { tls, bare: _, ...rest } = options;
    const { source, replyMs } = this.#ground.options;
    const implicit = service.tls === 'implicit' ? { name: service.host } : undefined;
    const chosen = tls === null ? undefined : (tls ?? implicit);
    return dial(this.#context().world, service.endpoint, {
      timeoutMs: replyMs,
      ...(source === undefined ? {} : { source }),
      ...rest,
      ...(chosen === undefined ? {} : { tls: chosen }),
    });
  }
}

/** The password alone, and as PLAIN puts it together (RFC 4616 2). */
function conceal(wire: Wire, login: string, password: string): void {
  wire.conceal('password', new Secret(utf8(password)));
  wire.conceal('plain-login', new Secret(utf8(`\0${login}\0${password}`)));
  wire.conceal('plain-login', new Secret(utf8(`${login}\0${login}\0${password}`)));
}

function token(octets: Uint8Array): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  return Array.from(octets, (octet, at) =>
    at === 0 ? (letters[octet % 26] ?? 'a') : (octet % 36).toString(36),
  ).join('');
}
