/** The verdict on a report: pass, findings, or not to be told; waivers apply until their day. */

import { compareSeverity, type Severity } from './check.ts';
import { type Finding, isFound } from './finding.ts';
import type { Report } from './report.ts';

/** A finding that its owner knows and takes, until a day. */
export interface Waiver {
  readonly id: string;
  /** `host:port` or `host`; undefined: everywhere. */
  readonly target: string | undefined;
  /** The last day, `2027-01-31`. */
  readonly until: string;
  readonly reason: string;
}

export type Verdict = 'pass' | 'findings' | 'inconclusive';

export interface Judged {
  readonly verdict: Verdict;
  /** Found, at least of the severity that fails. */
  readonly failing: readonly Finding[];
  /** Found, but milder. */
  readonly milder: readonly Finding[];
  /** Could not be told; those that could hide a failing finding decide the verdict. */
  readonly unclear: readonly Finding[];
  readonly waived: readonly { readonly finding: Finding; readonly waiver: Waiver }[];
  readonly expired: readonly Waiver[];
}

/** Judges: what is found fails first, then what could not be told, then it is a pass. */
export function judge(
  report: Pick<Report, 'findings'>,
  failOn: Severity,
  waivers: readonly Waiver[],
  nowMs: number,
): Judged {
  const lasting = waivers.filter(({ until }) => dayEnd(until) >= nowMs);
  const expired = waivers.filter(({ until }) => !(dayEnd(until) >= nowMs));
  const waived: { finding: Finding; waiver: Waiver }[] = [];
  const counted: Finding[] = [];
  for (const finding of report.findings) {
    const waiver = lasting.find((one) => covers(one, finding));
    if (waiver === undefined || finding.confidence === 'not-observed') counted.push(finding);
    else waived.push({ finding, waiver });
  }
  const fails = ({ severity }: Finding): boolean => compareSeverity(severity, failOn) >= 0;
  const found = counted.filter(isFound).sort(worstFirst);
  const failing = found.filter(fails);
  const unclear = counted.filter(({ confidence }) => confidence === 'inconclusive');
  const hiding = unclear.some((one) => fails(one) || one.id === 'exposure.nothing-answers');
  return {
    verdict: failing.length > 0 ? 'findings' : hiding ? 'inconclusive' : 'pass',
    failing,
    milder: found.filter((finding) => !fails(finding)),
    unclear: unclear.sort(worstFirst),
    waived,
    expired,
  };
}

/** By severity, then by place and id: the order in which reports show them. */
export function worstFirst(a: Finding, b: Finding): number {
  const by = compareSeverity(b.severity, a.severity);
  if (by !== 0) return by;
  const place = `${a.target.host} ${a.target.port} ${a.id}`;
  return place < `${b.target.host} ${b.target.port} ${b.id}` ? -1 : 1;
}

/** `host:port`, `[v6]:port`; the host alone for what belongs to no port. */
export function placeName({ host, port }: Finding['target']): string {
  if (port === 0) return host;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Waivers from data (of a TOML file), or the first thing that is wrong with it. */
export function readWaivers(data: unknown): readonly Waiver[] | { readonly problem: string } {
  const rows = field(data, 'waiver');
  if (!Array.isArray(rows)) return { problem: 'has no [[waiver]] entries' };
  const waivers: Waiver[] = [];
  for (const [index, row] of rows.entries()) {
    const name = `waiver ${index + 1}`;
    const [id, until, reason] = [field(row, 'id'), field(row, 'until'), field(row, 'reason')];
    const target = field(row, 'target');
    const day = until instanceof Date ? until.toISOString().slice(0, 10) : until;
    if (typeof id !== 'string') return { problem: `${name} has no id` };
    if (typeof day !== 'string' || Number.isNaN(dayEnd(day))) {
      return { problem: `${name} needs until = "2027-01-31": nothing is waived for ever` };
    }
    if (typeof reason !== 'string' || reason.trim() === '') {
      return { problem: `${name} has no reason` };
    }
    if (target !== undefined && typeof target !== 'string') {
      return { problem: `the target of ${name} is no text` };
    }
    waivers.push({ id, target, until: day, reason });
  }
  return waivers;
}

function covers(waiver: Waiver, { id, target }: Finding): boolean {
  if (waiver.id !== id) return false;
  return (
    waiver.target === undefined ||
    waiver.target === target.host ||
    waiver.target === placeName(target)
  );
}

function dayEnd(day: string): number {
  return /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T23:59:59.999Z`) : Number.NaN;
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}
