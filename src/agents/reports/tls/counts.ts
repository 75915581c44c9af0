/** TLS sessions counted by day, domain and policy until they are reported (RFC 8460 4). */

import type { TlsReportEntry, TlsReportFailure } from '#trust/tls-rpt/report.ts';
import type { TlsSession } from '#trust/tls-rpt/words.ts';
import { Days, type DaysOptions } from '../days.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A policy's sessions. */
export interface TlsRow extends Omit<TlsReportEntry, 'successful' | 'failed' | 'failures'> {
  successful: number;
  failed: number;
  readonly failures: Writable<TlsReportFailure>[];
}

const POLICIES = 20;
const FAILURES = 100;
const REASON_CHARACTERS = 200;

/** The counted days of all domains. */
export class TlsCounts extends Days<TlsRow> {
  constructor(options: DaysOptions) {
    super({ rows: POLICIES, ...options }, ({ type, text, mx }) => JSON.stringify([type, text, mx]));
  }

  /** Takes one session in. */
  readonly counted = ({ policy, failure, mx, address }: TlsSession): void => {
    const row = this.row(policy.domain, { ...policy, successful: 0, failed: 0, failures: [] });
    if (row === undefined) return;
    if (failure === undefined) row.successful += 1;
    else {
      row.failed += 1;
      const reason = failure.why.slice(0, REASON_CHARACTERS);
      addFailure(row, { kind: failure.kind, mx, receivingAddress: address, reason });
    }
  };
}

function addFailure(
  { failures }: TlsRow,
  failure: Omit<TlsReportFailure, 'sessions' | 'sendingAddress'>,
): void {
  const { kind, mx, receivingAddress } = failure;
  const known = failures.find(
    (one) => one.kind === kind && one.mx === mx && one.receivingAddress === receivingAddress,
  );
  if (known !== undefined) known.sessions += 1;
  else if (failures.length < FAILURES) {
    failures.push({ ...failure, sessions: 1, sendingAddress: undefined });
  }
}
