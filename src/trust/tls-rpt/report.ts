/** A TLS report as JSON (RFC 8460 4.4): written strictly, read leniently and within limits. */

import { parseUtf8, utf8 } from '#base/bytes.ts';
import type { JsonObject } from '#base/json.ts';

export interface TlsReport {
  readonly organization: string;
  /** RFC 3339, as it stands there. */
  readonly start: string;
  readonly end: string;
  readonly contact: string;
  readonly id: string;
  readonly policies: readonly TlsReportEntry[];
}

export interface TlsReportEntry {
  readonly type: string;
  readonly text: readonly string[];
  readonly domain: string;
  readonly mx: readonly string[];
  readonly successful: number;
  readonly failed: number;
  readonly failures: readonly TlsReportFailure[];
}

export interface TlsReportFailure {
  /** A word of RFC 8460 4.3.2, or what the sender made up. */
  readonly kind: string;
  readonly sessions: number;
  readonly mx: string | undefined;
  readonly sendingAddress: string | undefined;
  readonly receivingAddress: string | undefined;
  readonly reason: string | undefined;
}

const POLICIES = 1_000;
const FAILURES = 1_000;
const STRINGS = 100;
const CHARACTERS = 1_000;

/** The octets of a report, not packed. */
export function formatTlsReport(report: TlsReport): Uint8Array {
  const policies = report.policies.map((entry): JsonObject => {
    return {
      policy: {
        'policy-type': entry.type,
        ...(entry.text.length === 0 ? {} : { 'policy-string': entry.text }),
        'policy-domain': entry.domain,
        ...(entry.mx.length === 0 ? {} : { 'mx-host': entry.mx }),
      },
      summary: {
        'total-successful-session-count': entry.successful,
        'total-failure-session-count': entry.failed,
      },
      ...(entry.failures.length === 0 ? {} : { 'failure-details': entry.failures.map(detailOf) }),
    };
  });
  const whole: JsonObject = {
    'organization-name': report.organization,
    'date-range': { 'start-datetime': report.start, 'end-datetime': report.end },
    'contact-info': report.contact,
    'report-id': report.id,
    policies,
  };
  return utf8(JSON.stringify(whole));
}

/** Reads one; undefined when it is no report. What is missing or odd in it is empty or 0. */
export function parseTlsReport(octets: Uint8Array): TlsReport | undefined {
  let whole: unknown;
  try {
    whole = JSON.parse(parseUtf8(octets) ?? '');
  } catch {
    return undefined;
  }
  const given = fieldsOf(whole);
  const range = fieldsOf(given.get('date-range'));
  if (!Array.isArray(given.get('policies'))) return undefined;
  return {
    organization: textOf(given.get('organization-name')) ?? '',
    start: textOf(range.get('start-datetime')) ?? '',
    end: textOf(range.get('end-datetime')) ?? '',
    contact: textOf(given.get('contact-info')) ?? '',
    id: textOf(given.get('report-id')) ?? '',
    policies: listOf(given.get('policies'), POLICIES).map(entryOf),
  };
}

function detailOf(failure: TlsReportFailure): JsonObject {
  const { kind, sessions, mx, sendingAddress, receivingAddress, reason } = failure;
  return {
    'result-type': kind,
    ...(sendingAddress === undefined ? {} : { 'sending-mta-ip': sendingAddress }),
    ...(receivingAddress === undefined ? {} : { 'receiving-ip': receivingAddress }),
    ...(mx === undefined ? {} : { 'receiving-mx-hostname': mx }),
    'failed-session-count': sessions,
    ...(reason === undefined ? {} : { 'failure-reason-code': reason }),
  };
}

function entryOf(value: unknown): TlsReportEntry {
  const given = fieldsOf(value);
  const policy = fieldsOf(given.get('policy'));
  const summary = fieldsOf(given.get('summary'));
  return {
    type: textOf(policy.get('policy-type')) ?? '',
    text: stringsOf(policy.get('policy-string')),
    domain: textOf(policy.get('policy-domain')) ?? '',
    mx: stringsOf(policy.get('mx-host')),
    successful: countOf(summary.get('total-successful-session-count')),
    failed: countOf(summary.get('total-failure-session-count')),
    failures: listOf(given.get('failure-details'), FAILURES).map(failureOf),
  };
}

function failureOf(value: unknown): TlsReportFailure {
  const given = fieldsOf(value);
  return {
    kind: textOf(given.get('result-type')) ?? '',
    sessions: countOf(given.get('failed-session-count')),
    mx: textOf(given.get('receiving-mx-hostname')),
    sendingAddress: textOf(given.get('sending-mta-ip')),
    receivingAddress: textOf(given.get('receiving-ip')),
    reason: textOf(given.get('failure-reason-code')),
  };
}

/** As a Map: the names in a report are a stranger's choice. */
function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  const plain = typeof value === 'object' && value !== null && !Array.isArray(value);
  return new Map(plain ? Object.entries(value) : []);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, CHARACTERS) : undefined;
}

/** Some senders write one text where a list belongs. */
function stringsOf(value: unknown): readonly string[] {
  const list = typeof value === 'string' ? [value] : listOf(value, STRINGS);
  return list.map(textOf).filter((one) => one !== undefined);
}

function listOf(value: unknown, most: number): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, most) : [];
}

function countOf(value: unknown): number {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number > 0 ? number : 0;
}
