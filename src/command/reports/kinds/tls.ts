/** TLS reports (RFC 8460): how sessions of others with our MX hosts went. */

import { parseTlsReport, type TlsReport } from '#trust/tls-rpt/report.ts';
import type { ReadReport, ReportKind } from '../kind.ts';

export const tls: ReportKind = {
  name: 'tls',
  read: (octets) => {
    const report = parseTlsReport(octets);
    return report === undefined ? undefined : shown(report);
  },
};

function shown(report: TlsReport): ReadReport {
  const rows: string[][] = [['domain', 'policy', 'good', 'failed', 'because', 'MX', 'to', 'from']];
  for (const { domain, type, successful, failed, failures } of report.policies) {
    rows.push([domain, type, String(successful), String(failed)]);
    for (const failure of failures) {
      const { kind, sessions, mx = '', receivingAddress = '', sendingAddress = '' } = failure;
      rows.push([domain, type, '', String(sessions), kind, mx, receivingAddress, sendingAddress]);
    }
  }
  const title = `TLS report of ${report.organization}, ${report.start} to ${report.end}`;
  return { title, rows, json: { kind: 'tls', ...report } as unknown as ReadReport['json'] };
}
