/** One probe at one target: run under its own guard and deadline, its outcomes made complete. */

import { utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { Secret } from '#base/secret.ts';
import type { World } from '#base/world.ts';
import type { Level } from '../check.ts';
import { type Exchange, type Outcome, type Target, unclear } from '../finding.ts';
import type { Probe, ProbeContext, ProbeDialOptions, ProbeOptions } from '../probe.ts';
import { GuardedNetwork, type GuardOptions } from '../safety/guard.ts';
import { type Service, targetOf } from '../service.ts';
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

/** Runs it; never throws for what the target or the probe does. One outcome for each check. */
export async function runTask(
  task: Task,
  ground: TaskGround,
  limitMs: number,
): Promise<readonly Outcome[]> {
  const told = new Map<string, Outcome>();
  const network = new GuardedNetwork(ground.world.network, ground.guard);
  const { clock } = ground.world;
  const untilMs = clock.elapsed() + limitMs;
  const bench = new Bench(task, ground, network, untilMs, (outcome) => keep(told, outcome));
  const late = Promise.withResolvers<Failure>();
  const timer = clock.after(limitMs, () => {
    const text = `the probe was not done within ${Math.round(limitMs)} ms`;
    late.resolve(Failure.temporary('timeout', text));
  });
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

/** What a probe works with, and what it opened. */
class Bench {
  readonly #task: Task;
  readonly #ground: TaskGround;
  readonly #network: GuardedNetwork;
  readonly #untilMs: number;
  readonly #keep: (outcome: Outcome) => void;
  readonly #wires: (Wire | Exchange)[] = [];
  /** What comes later comes too late. */
  over = false;

  constructor(
    task: Task,
    ground: TaskGround,
    network: GuardedNetwork,
    untilMs: number,
    keep: (outcome: Outcome) => void,
  ) {
    this.#task = task;
    this.#ground = ground;
    this.#network = network;
    this.#untilMs = untilMs;
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
      leftMs: () => Math.max(0, this.#untilMs - world.clock.elapsed()),
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

  async #dial(service: Service, options: ProbeDialOptions = {}): Promise<Dialled> {
    const { tls, ...rest } = options;
    const { source, account, replyMs } = this.#ground.options;
    const implicit = service.tls === 'implicit' ? { name: service.host } : undefined;
    const chosen = tls === null ? undefined : (tls ?? implicit);
    const dialled = await dial(this.#context().world, service.endpoint, {
      timeoutMs: replyMs,
      ...(source === undefined ? {} : { source }),
      ...rest,
      ...(chosen === undefined ? {} : { tls: chosen }),
    });
    if (dialled.kind === 'open') {
      const { wire } = dialled;
      this.#wires.push(wire);
      if (account !== undefined) conceal(wire, account.login, account.password.reveal());
    } else this.#wires.push(dialled.exchange);
    return dialled;
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
