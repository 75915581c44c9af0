/** A DMARC aggregate report as XML (RFC 9990, which readers of RFC 7489's appendix C understand). */

import { utf8 } from '#base/bytes.ts';
import type { AggregateReport, AggregateRow } from './report.ts';

const NAMESPACE = 'urn:ietf:params:xml:ns:dmarc-2.0';

/** The octets of a report, not packed. What cannot stand in XML becomes U+FFFD. */
export function formatAggregateReport(report: AggregateReport): Uint8Array {
  const { policy } = report;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<feedback xmlns="${NAMESPACE}">`,
    element('version', '1.0'),
    ...group('report_metadata', [
      element('org_name', report.organization),
      element('email', report.email),
      element('extra_contact_info', report.contact),
      element('report_id', report.id),
      ...group('date_range', [element('begin', report.begin), element('end', report.end)]),
      ...report.errors.map((one) => element('error', one)),
    ]),
    ...group('policy_published', [
      element('domain', policy.domain),
      element('p', policy.p),
      element('sp', policy.sp),
      element('np', policy.np),
      element('adkim', policy.adkim),
      element('aspf', policy.aspf),
      element('pct', policy.pct),
      element('discovery_method', policy.discovery),
      element('fo', policy.fo),
      element('testing', policy.testing),
    ]),
    ...report.rows.flatMap(record),
    '</feedback>',
  ];
  return utf8(`${lines.filter((line) => line !== '').join('\n')}\n`);
}

function record(row: AggregateRow): readonly string[] {
  return group('record', [
    ...group('row', [
      element('source_ip', row.sourceAddress),
      element('count', row.count),
      ...group('policy_evaluated', [
        element('disposition', row.disposition),
        element('dkim', row.dkim),
        element('spf', row.spf),
        ...row.reasons.flatMap(({ type, comment }) =>
          group('reason', [element('type', type), element('comment', comment)]),
        ),
      ]),
    ]),
    ...group('identifiers', [
      element('envelope_to', row.envelopeTo),
      element('envelope_from', row.envelopeFrom),
      element('header_from', row.headerFrom),
    ]),
    ...group('auth_results', [
      ...row.signatures.flatMap(({ domain, selector, result }) =>
        group('dkim', [
          element('domain', domain),
          element('selector', selector),
          element('result', result),
        ]),
      ),
      ...row.senders.flatMap(({ domain, scope, result }) =>
        group('spf', [
          element('domain', domain),
          element('scope', scope),
          element('result', result),
        ]),
      ),
    ]),
  ]);
}

function group(name: string, lines: readonly string[]): readonly string[] {
  return [`<${name}>`, ...lines, `</${name}>`];
}

/** One line; none for what is not there. */
function element(name: string, value: string | number | undefined): string {
  return value === undefined ? '' : `<${name}>${escaped(String(value))}</${name}>`;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
]);

/** Nearly all that stands in a report: names, addresses, words. */
const PLAIN = /^[A-Za-z0-9 .:@_!/-]*$/;

function escaped(text: string): string {
  if (PLAIN.test(text)) return text;
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>]/g, (one) => ESCAPES.get(one) ?? one);
}
