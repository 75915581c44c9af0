/** The attack of a rehearsal: the auditor at level safe against the stage, within its time. */

import { compareSeverity, type Level, type Severity } from '#audit/check.ts';
import { type Finding, isFound } from '#audit/finding.ts';
import type { Probe } from '#audit/probe.ts';
import { checksOf, PROBES } from '#audit/probes/all.ts';
import type { Report } from '#audit/report.ts';
import { runAudit } from '#audit/run/run.ts';
import { invariant } from '#base/failure.ts';
import type { Resolver } from '#base/world.ts';
import { systemClock } from '#network/clock.ts';
import { systemRandom } from '#network/random.ts';
import { tcpNetwork } from '#network/tcp.ts';
import { posternVersion } from '../commands/version.ts';
import type { Settings } from '../configuration/settings.ts';
import { openStage, type Stage, type StagePlaces } from './stage.ts';

/** A finding in the few words that an operator at a start needs; plain data. */
export interface Weak {
  readonly id: string;
  readonly severity: Severity;
  readonly listener: string;
  readonly title: string;
  readonly seen: string;
  /** What to change here. */
  readonly cure: string;
}

/** What came of it; plain data. */
export interface Rehearsed {
  /** High and critical. */
  readonly weak: readonly Weak[];
  /** Where the attacker seemed to come from. */
  readonly stranger: string;
  readonly tests: number;
  /** Tests that could not be told. */
  readonly unclear: number;
  /** Ids of those among them that would have been high or critical. */
  readonly undecided: readonly string[];
}

/** For all probes; what is left over is `inconclusive`. Ten times what two quick cores need. */
const TOTAL_MS = 45_000;

/** Opens the stage, attacks it and takes it down again. Fails as `openStage` does. */
export async function rehearseHere(settings: Settings, places: StagePlaces): Promise<Rehearsed> {
  const stage = await openStage(settings, places);
  try {
    return summary(await attack(stage, settings.myhostname), stage);
  } finally {
    await stage.close();
  }
}

/** The auditor's whole report about a stage; `host` is the name that certificates must have. */
export async function attack(
  stage: Stage,
  host: string,
  level: Level = 'safe',
  totalMs: number = TOTAL_MS,
): Promise<Report> {
  const request = {
    target: host,
    places: [{ host, address: '127.0.0.1', ports: [...stage.ports.values()] }],
    domains: [stage.domain],
    level,
    authorisedBy: undefined,
    probes: GRAVEST_FIRST,
    // What the domain publishes is no part of a configuration.
    skip: ['posture'],
    options: {
      // Not the server's own address, where a system has more than one on loopback.
      source: process.platform === 'linux' ? '127.66.0.1' : undefined,
      heloName: 'audit.invalid',
      names: [],
      knownUser: stage.account.login,
      account: stage.account,
      canary: undefined,
      selectors: [],
    },
    version: posternVersion(),
    totalMs,
  };
  const result = await runAudit(request, {
    clock: systemClock,
    random: systemRandom,
    network: tcpNetwork({ lingerMs: 500 }),
    resolver: NOBODY_KNOWS,
  });
  invariant(result.kind === 'done', 'loopback may always be audited');
  return result.report;
}

function summary({ findings }: Report, stage: Stage): Rehearsed {
  const names = new Map([...stage.ports].map(([name, port]) => [port, name]));
  const grave = findings.filter((finding) => compareSeverity(severityHere(finding), 'high') >= 0);
  return {
    weak: grave.filter(isFound).map((finding) => ({
      id: finding.id,
      severity: severityHere(finding),
      title: finding.title,
      seen: finding.seen,
      listener: names.get(finding.target.port) ?? 'all listeners',
      cure: finding.cures.find(({ product }) => product === 'postern')?.lines.join('; ') ?? '',
    })),
    stranger: stage.stranger,
    tests: findings.length,
    unclear: findings.filter(isUnclear).length,
    undecided: [...new Set(grave.filter(isUnclear).map(({ id }) => id))],
  };
}

function isUnclear({ confidence }: Finding): boolean {
  return confidence === 'inconclusive';
}

/**
 * A stranger's recipient that is accepted may still be turned away later, and is told milder than
 * a relay that was seen to deliver. Here it was RelayPermit that said yes: it would be carried.
 */
function severityHere({ id, group, severity }: Finding): Severity {
  if (group !== 'relay') return severity;
  return checksOf(PROBES).find((check) => check.id === id)?.severity ?? severity;
}

/** Where time runs out, it runs out for what matters least. */
const GRAVEST_FIRST = [...PROBES].sort((a, b) => compareSeverity(gravest(b), gravest(a)));

function gravest({ checks }: Probe): Severity {
  return checks
    .map(({ severity }) => severity)
    .reduce((a, b) => (compareSeverity(a, b) > 0 ? a : b));
}

const NOBODY_KNOWS = new Proxy({} as Resolver, {
  get: () => () => Promise.resolve({ kind: 'none', why: 'nxdomain', authentic: false }),
});
