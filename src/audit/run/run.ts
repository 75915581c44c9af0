/** A run: permission, discovery, then all probes at all targets under limits, and the report. */

import type { World } from '#base/world.ts';
import { allows, type Level } from '../check.ts';
import { discover, type Port } from '../discover/discover.ts';
import type { Finding } from '../finding.ts';
import type { Probe, ProbeOptions } from '../probe.ts';
import { REPORT_SCHEMA, type Report } from '../report.ts';
import { Budget, budgetFor } from '../safety/budget.ts';
import { GuardedNetwork } from '../safety/guard.ts';
import { AuditPermit } from '../safety/permit.ts';
import { Recipients } from '../safety/recipients.ts';
import type { Service } from '../service.ts';
import { announcedNames } from './announced.ts';
import * as assemble from './assemble.ts';
import { discoveryFindings } from './discovered.ts';
import { type AuditRequest, isChosen } from './request.ts';
import { runTask, type Task, type TaskGround, type TaskSubject } from './task.ts';

export type AuditResult =
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'done'; readonly report: Report };

/** For one probe, for the whole run, and tasks at the same time. */
interface Pace {
  readonly replyMs: number;
  readonly probeMs: number;
  readonly totalMs: number;
  /** So many times the usual, for a server that is far away. */
  readonly far: number;
  readonly atOnce: number;
}

const PROBE_MS: Record<Level, number> = {
  passive: 6_000,
  safe: 8_000,
  active: 30_000,
  intrusive: 120_000,
};
const TOTAL_MS: Record<Level, number> = {
  passive: 20_000,
  safe: 30_000,
  active: 120_000,
  intrusive: 900_000,
};
/** Strangers' servers are further away and must be asked more slowly. */
const FAR = 5;
/** An answer that takes that long doubles the time for everything, and so on. */
const NEAR_MS = 50;
/** Who answers later holds answers back: that is no distance. */
const HELD_BACK_MS = 1_000;

type AuditWorld = Pick<World, 'clock' | 'network' | 'random' | 'resolver'>;

/** Runs it all. What a target does never makes it throw; `refused` is a matter of policy. */
export async function runAudit(request: AuditRequest, world: AuditWorld): Promise<AuditResult> {
  const startedMs = world.clock.now();
  const permission = await permitted(request, world, startedMs);
  if (permission.kind === 'refused') return permission;
  const { grounds, permit } = permission;
  const budget = new Budget(
    budgetFor(request.level, assemble.distanceOf(request.places), request.places.length),
    world.clock,
  );
  const ground = { permit, budget, recipients: recipientsFor(request, []) };
  const network = new GuardedNetwork(world.network, ground);
  const { ports, answerMs } = await discoverAll(request, world, budget, network);
  const pace = paceFor(request, answerMs);
  const services = ports.flatMap(({ port }) => (port.kind === 'service' ? [port.service] : []));
  const findings = await runTasks(request, services, pace, {
    world,
    guard: { permit, budget, recipients: recipientsFor(request, services) },
    options: optionsFor(request, services, pace),
    level: request.level,
  });
  const at = new Date(world.clock.now()).toISOString();
  const all = [
    ...discoveryFindings(ports, at).filter(({ id }) => isChosen(id, request)),
    ...findings,
  ];
  return {
    kind: 'done',
    report: {
      schema: REPORT_SCHEMA,
      version: request.version,
      target: request.target,
      started: new Date(startedMs).toISOString(),
      finished: at,
      level: request.level,
      grounds,
      vantage: assemble.vantageOf(request),
      ...assemble.portsOf(ports),
      services: services.map((service) => assemble.reported(service, all)),
      spent: budget.spent,
      findings: assemble.withProducts(all),
      request: assemble.replayOf(request),
    },
  };
}

/** One permit over all hosts; a single host that may not be audited refuses the run. */
async function permitted(request: AuditRequest, world: AuditWorld, now: number) {
  const { level, authorisedBy } = request;
  const byHost = new Map<string, string[]>();
  for (const { host, address } of request.places) {
    byHost.set(host, [...(byHost.get(host) ?? []), address]);
  }
  const grounds: Report['grounds'][number][] = [];
  const permits: AuditPermit[] = [];
  for (const [host, addresses] of byHost) {
    const question = { host, addresses, level, authorisedBy, now };
    const permission = await AuditPermit.ask(question, world.resolver);
    if (permission.kind === 'refused') return permission;
    grounds.push({ host, ground: permission.permit.ground });
    permits.push(permission.permit);
  }
  const permit = { covers: (address: string) => permits.some((one) => one.covers(address)) };
  return { kind: 'permitted' as const, grounds, permit };
}

/** `answerMs`: the quickest answer that discovery heard; each probe asks many times. */
function paceFor({ level, places, totalMs }: AuditRequest, answerMs = 0): Pace {
  const distance = assemble.distanceOf(places);
  const far = distance === 'public' ? FAR : Math.min(FAR, 1 + answerMs / NEAR_MS);
  return {
    replyMs: distance === 'public' ? 10_000 : 3_000,
    probeMs: PROBE_MS[level] * far,
    totalMs: totalMs ?? TOTAL_MS[level] * far,
    far,
    // Each may hold two connections: together they stay below what the budget lets be open.
    atOnce: { loopback: 6, private: 5, public: 2 }[distance],
  };
}

function recipientsFor(request: AuditRequest, services: readonly Service[]): Recipients {
  const { places, domains, options } = request;
  const names = [...domains, ...places.map(({ host }) => host), ...announcedNames(services)];
  return new Recipients({
    own: [...new Set(names)],
    addresses: places.map(({ address }) => address),
    canary: options.canary?.domain,
  });
}

function optionsFor(
  request: AuditRequest,
  services: readonly Service[],
  { replyMs }: Pace,
): ProbeOptions {
  const domains = [...new Set([...request.domains, ...announcedNames(services)])];
  return { ...request.options, replyMs, domains };
}

async function discoverAll(
  request: AuditRequest,
  world: AuditWorld,
  budget: Budget,
  network: GuardedNetwork,
): Promise<{ readonly ports: readonly assemble.PlacedPort[]; readonly answerMs: number }> {
  const { heloName, source } = request.options;
  const { replyMs } = paceFor(request);
  let quickestMs = HELD_BACK_MS;
  const answeredIn = (ms: number): void => {
    quickestMs = Math.min(quickestMs, ms);
  };
  const found = await Promise.all(
    request.places.map(async (place) => {
      const done = (port: Port) => request.progress?.({ kind: 'port', host: place.host, port });
      const refused = () => budget.crowd(place.address).refused();
      const options = { heloName, source, replyMs, done, refused, answeredIn };
      const ports = await discover({ clock: world.clock, network }, place, options);
      return ports.map((port) => ({ place, port }));
    }),
  );
  network.closeAll();
  const answerMs = quickestMs < HELD_BACK_MS ? quickestMs : 0;
  return { ports: found.flat(), answerMs };
}

/**
 * Milder levels first: what disturbs comes when the rest is known; of a level what may take longest.
 * Probes that must be alone come last.
 */
async function runTasks(
  request: AuditRequest,
  services: readonly Service[],
  pace: Pace,
  ground: TaskGround,
): Promise<readonly Finding[]> {
  const tasks = tasksFor(request, services);
  const { clock } = ground.world;
  const untilMs = clock.elapsed() + pace.totalMs;
  const findings: Finding[] = [];
  let done = 0;
  const perform = async (task: Task): Promise<void> => {
    // One after the other takes longer than six at once.
    const moreMs = ground.guard.budget.crowded ? pace.totalMs : 0;
    const leftMs = Math.max(0, untilMs + moreMs - clock.elapsed());
    const usualMs = task.probe.limitMs === undefined ? pace.probeMs : task.probe.limitMs * pace.far;
    const limitMs = Math.min(usualMs, leftMs);
    const outcomes = await runTask(task, ground, limitMs, leftMs);
    const at = new Date(clock.now()).toISOString();
    const told = outcomes.map((outcome) => assemble.findingOf(outcome, task, at));
    findings.push(...told.filter(({ id }) => isChosen(id, request)));
    done += 1;
    request.progress?.({ kind: 'task', name: task.probe.name, done, of: tasks.length });
  };
  const together = tasks.filter(({ probe }) => probe.alone !== true);
  const workers = Array.from({ length: pace.atOnce }, async () => {
    for (let task = together.shift(); task !== undefined; task = together.shift()) {
      await perform(task);
    }
  });
  await Promise.all(workers);
  for (const task of tasks) if (task.probe.alone === true) await perform(task);
  return findings.sort(byTarget);
}

function tasksFor(request: AuditRequest, services: readonly Service[]): Task[] {
  const tasks: Task[] = [];
  const chosen = request.probes.filter(
    (probe) =>
      allows(request.level, probe.level) && probe.checks.some(({ id }) => isChosen(id, request)),
  );
  const order = [...chosen].sort(
    (a, b) =>
      Number(allows(a.level, b.level)) - Number(allows(b.level, a.level)) ||
      (b.limitMs ?? 0) - (a.limitMs ?? 0),
  );
  for (const probe of order) {
    for (const subject of subjectsFor(probe, request, services)) tasks.push({ probe, subject });
  }
  return tasks;
}

function subjectsFor(
  probe: Probe,
  { places, domains }: AuditRequest,
  services: readonly Service[],
): TaskSubject[] {
  const at = ({ address }: { readonly address: string }) =>
    services.filter(({ endpoint }) => endpoint.address === address);
  if (probe.scope === 'domain') {
    return domains.map((domain) => ({ scope: 'domain', domain, services }));
  }
  if (probe.scope === 'service') {
    return services
      .filter((service) => probe.fits(service))
      .map((service) => ({ scope: 'service', service, services: at(service.endpoint) }));
  }
  return places
    .filter((place) => at(place).length > 0)
    .map(({ host, address }) => ({ scope: 'host', host, address, services: at({ address }) }));
}

function byTarget(a: Finding, b: Finding): number {
  return placeKey(a) < placeKey(b) ? -1 : 1;
}

function placeKey({ target, id }: Finding): string {
  return `${target.host} ${String(target.port).padStart(5, '0')} ${id}`;
}
