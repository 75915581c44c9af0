/** Messages that DMARC was evaluated of, counted by day, domain and result until reported. */

import type { ReversePath } from '#base/address.ts';
import { visible } from '#base/bytes.ts';
import type { Head } from '#message/fields.ts';
import type { AppliedPolicy } from '#trust/dmarc/evaluate.ts';
import type { DmarcRecord } from '#trust/dmarc/record.ts';
import type { AggregateRow, OverrideReason, PublishedPolicy } from '#trust/dmarc-report/report.ts';
import type { Findings } from '../../verify/evidence.ts';
import { isReport } from '../about.ts';
import { Days, type DaysOptions } from '../days.ts';

/** A message that was judged for good: not one whose sender was told to come again. */
export interface Evaluation {
  /** Of the client. */
  readonly address: string;
  readonly reversePath: ReversePath;
  readonly head: Head;
  readonly findings: Pick<Findings, 'spf' | 'dkim' | 'dmarc'>;
  readonly done: 'accepted' | 'quarantined' | 'refused';
  /** The rule that did it. */
  readonly rule: string | undefined;
}

export interface DmarcRow extends Omit<AggregateRow, 'count'> {
  count: number;
  /** As it was when the row was counted last. */
  policy: PublishedPolicy;
}

/** The checks that ask DMARC. */
const RULES = new Set(['reject_dmarc', 'quarantine_dmarc']);
const SIGNATURES = 10;
const NAME_CHARACTERS = 253;

/** The counted days of all domains that ask for reports. */
export class DmarcCounts extends Days<DmarcRow> {
  constructor(options: DaysOptions) {
    // Whatever it is, but how often and under which record.
    super(options, (row) => JSON.stringify({ ...row, count: undefined, policy: undefined }));
  }

  /**
   * Takes one message in, if the domain whose policy it was held against asks for reports. Of a
   * report that proves its author nothing is counted; a forged one is mail like any other.
   */
  readonly counted = (evaluation: Evaluation): void => {
    const { dmarc } = evaluation.findings;
    const { policy } = dmarc;
    if (policy === undefined || policy.record.unusable !== undefined) return;
    if (policy.record.aggregateReports.length === 0) return;
    if (dmarc.result === 'pass' && isReport(evaluation.head)) return;
    const published = publishedOf(policy);
    const row = this.row(policy.domain, { ...rowOf(evaluation), count: 0, policy: published });
    if (row === undefined) return;
    row.count += 1;
    row.policy = published;
  };
}

function rowOf(evaluation: Evaluation): Omit<AggregateRow, 'count'> {
  const { address, reversePath, findings } = evaluation;
  const { spf, dkim, dmarc } = findings;
  const passed = new Set(dmarc.aligned.map(({ method }) => method));
  const disposition = dispositionOf(evaluation);
  return {
    sourceAddress: address,
    disposition,
    dkim: passed.has('dkim') ? 'pass' : 'fail',
    spf: passed.has('spf') ? 'pass' : 'fail',
    reasons: reasonsOf(evaluation, disposition),
    headerFrom: dmarc.author ?? '',
    envelopeFrom: reversePath === null ? '' : reversePath.domain,
    envelopeTo: undefined,
    signatures: dkim.results.slice(0, SIGNATURES).flatMap(({ domain, selector, status }) => {
      return domain === undefined ? [] : [{ domain, selector, result: status }];
    }),
    senders: [{ domain: visible(spf.domain, NAME_CHARACTERS), scope: 'mfrom', result: spf.result }],
  };
}

/** RFC 9990: `none` is a failed message that was let in, `pass` one that did not fail. */
function dispositionOf({ findings, done, rule }: Evaluation): string {
  const { result } = findings.dmarc;
  if (result === 'pass') return 'pass';
  if (rule === undefined || !RULES.has(rule)) return 'none';
  return done === 'refused' ? 'reject' : 'quarantine';
}

function because(type: string, comment?: string): readonly OverrideReason[] {
  return [{ type, comment }];
}

/** Why something else was done than the record asks for. */
function reasonsOf({ findings }: Evaluation, disposition: string): readonly OverrideReason[] {
  const { result, disposition: asked, policy, tag } = findings.dmarc;
  if (result === 'temperror') return because('other', 'the DNS did not answer');
  if (result !== 'fail' || policy === undefined) return [];
  if (disposition !== asked) return because('local_policy');
  const { record } = policy;
  const published =
    tag === 'np' ? record.nonexistent : tag === 'sp' ? record.subdomains : undefined;
  const tested = record.testing && (published ?? record.policy) !== 'none';
  return tested ? because('policy_test_mode') : [];
}

function publishedOf({ domain, record }: AppliedPolicy): PublishedPolicy {
  return {
    domain,
    p: record.policy,
    sp: record.subdomains,
    np: record.nonexistent,
    adkim: record.dkimMode,
    aspf: record.spfMode,
    fo: record.failureOptions,
    pct: undefined,
    testing: yesNo(record),
    discovery: 'treewalk',
  };
}

function yesNo({ testing }: DmarcRecord): string {
  return testing ? 'y' : 'n';
}
