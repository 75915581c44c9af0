/** Reads a DMARC aggregate report: RFC 9990, RFC 7489 appendix C, and what large senders make of it. */

import { parseUtf8 } from '#base/bytes.ts';
import { parseIp } from '#base/ip.ts';
import type {
  AggregateReport,
  AggregateRow,
  OverrideReason,
  PublishedPolicy,
  SenderResult,
  SignatureResult,
} from './report.ts';
import { type XmlElement, readXml } from './xml.ts';

export interface ReadAggregate {
  readonly report: AggregateReport;
  /** Rows that were left out, and why. */
  readonly defects: readonly string[];
}

const OCTETS = 10_485_760;
const ROWS = 20_000;
const LIST = 50;
const DEFECTS = 20;
const CHARACTERS = 300;
const COUNT_DIGITS = 12;

/**
 * Reads one, unpacked; undefined when these octets are none: no `feedback`, or one without who
 * reports, about which domain and from when to when. A row without a source, a count or a result
 * is left out and named. Never throws.
 */
export function parseAggregateReport(octets: Uint8Array): ReadAggregate | undefined {
  if (octets.length > OCTETS) return undefined;
  const text = parseUtf8(octets);
  if (text === undefined || !text.slice(0, 10_000).includes('<')) return undefined;
  const root = readXml(text);
  if (root?.name !== 'feedback') return undefined;
  const metadata = child(root, 'report_metadata');
  const range = child(metadata, 'date_range');
  const policy = policyOf(child(root, 'policy_published'));
  const [begin, end] = [secondsOf(range, 'begin'), secondsOf(range, 'end')];
  const organization = textOf(metadata, 'org_name');
  if (organization === undefined || policy === undefined) return undefined;
  if (begin === undefined || end === undefined) return undefined;
  const { rows, defects } = rowsOf(root);
  const report = {
    organization,
    email: textOf(metadata, 'email') ?? '',
    contact: textOf(metadata, 'extra_contact_info'),
    id: textOf(metadata, 'report_id') ?? '',
    begin,
    end,
    errors: all(metadata, 'error').map(cut),
    policy,
    rows,
  };
  return { report, defects };
}

function rowsOf(root: XmlElement): { rows: AggregateRow[]; defects: string[] } {
  const rows: AggregateRow[] = [];
  const defects: string[] = [];
  let number = 0;
  for (const record of root.children) {
    if (record.name !== 'record') continue;
    number += 1;
    const row = rows.length < ROWS ? rowOf(record) : `more than ${ROWS} rows`;
    if (typeof row !== 'string') rows.push(row);
    else if (defects.length < DEFECTS) defects.push(`record ${number}: ${row}`);
  }
  return { rows, defects };
}

/** The row, or what is wrong with it. */
function rowOf(record: XmlElement): AggregateRow | string {
  const row = child(record, 'row');
  const evaluated = child(row, 'policy_evaluated');
  const identifiers = child(record, 'identifiers');
  const results = child(record, 'auth_results');
  const sourceAddress = textOf(row, 'source_ip') ?? '';
  if (parseIp(sourceAddress) === undefined) return 'no source_ip';
  const count = textOf(row, 'count') ?? '';
  if (!/^\d+$/.test(count) || count.length > COUNT_DIGITS) return 'no count';
  const [disposition, dkim, spf] = ['disposition', 'dkim', 'spf'].map((name) =>
    wordOf(evaluated, name),
  );
  if (disposition === undefined || dkim === undefined || spf === undefined) return 'no result';
  const headerFrom = textOf(identifiers, 'header_from');
  if (headerFrom === undefined) return 'no header_from';
  return {
    sourceAddress,
    count: Number(count),
    disposition,
    dkim,
    spf,
    reasons: all(evaluated, 'reason').map(reasonOf),
    headerFrom,
    envelopeFrom: child(identifiers, 'envelope_from')?.text.slice(0, CHARACTERS),
    envelopeTo: textOf(identifiers, 'envelope_to'),
    signatures: all(results, 'dkim').map(signatureOf),
    senders: all(results, 'spf').map(senderOf),
  };
}

function policyOf(published: XmlElement | undefined): PublishedPolicy | undefined {
  const domain = textOf(published, 'domain');
  if (domain === undefined) return undefined;
  return {
    domain,
    p: textOf(published, 'p') ?? '',
    sp: textOf(published, 'sp'),
    np: textOf(published, 'np'),
    adkim: textOf(published, 'adkim'),
    aspf: textOf(published, 'aspf'),
    fo: textOf(published, 'fo'),
    pct: textOf(published, 'pct'),
    testing: textOf(published, 'testing'),
    discovery: textOf(published, 'discovery_method'),
  };
}

function reasonOf(element: XmlElement): OverrideReason {
  return { type: textOf(element, 'type') ?? '', comment: textOf(element, 'comment') };
}

function signatureOf(element: XmlElement): SignatureResult {
  return {
    domain: textOf(element, 'domain') ?? '',
    selector: textOf(element, 'selector'),
    result: textOf(element, 'result') ?? '',
  };
}

function senderOf(element: XmlElement): SenderResult {
  return {
    domain: textOf(element, 'domain') ?? '',
    scope: textOf(element, 'scope'),
    result: textOf(element, 'result') ?? '',
  };
}

function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((one) => one.name === name);
}

function all(element: XmlElement | undefined, name: string): readonly XmlElement[] {
  return element?.children.filter((one) => one.name === name).slice(0, LIST) ?? [];
}

function textOf(element: XmlElement | undefined, name: string): string | undefined {
  const found = child(element, name);
  return found === undefined || found.text === '' ? undefined : cut(found);
}

function cut({ text }: XmlElement): string {
  return text.slice(0, CHARACTERS);
}

/** A word of the schema, as it is compared. */
function wordOf(element: XmlElement | undefined, name: string): string | undefined {
  const text = textOf(element, name)?.toLowerCase();
  return text !== undefined && /^[a-z_]{1,20}$/.test(text) ? text : undefined;
}

/** Unix seconds; some write milliseconds behind a point. */
function secondsOf(element: XmlElement | undefined, name: string): number | undefined {
  const digits = /^(\d{1,11})(?:\.\d{1,9})?$/.exec(textOf(element, name) ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}
