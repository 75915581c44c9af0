/** A TLS report as a mail: the words for people, the packed JSON for programs (RFC 8460 5.3). */

import type { Address } from '#base/address.ts';
import { formatAddress } from '#base/address.ts';
import type { Domain, QueueId } from '#base/brand.ts';
import { composeMessage, leafPart, multipart, textPart } from '#message/compose.ts';
import { formatDate } from '#message/date.ts';
import { formatMailboxes, formatStructured, formatText } from '#message/field-text.ts';
import { RelayPermit } from '#policy/relay.ts';
import type { TlsReport } from '#trust/tls-rpt/report.ts';
import type { NewMail } from '../../mail.ts';

export interface TlsLetter {
  readonly id: QueueId;
  readonly report: TlsReport;
  /** The report's JSON, packed by gzip. */
  readonly packed: Uint8Array;
  /** The domain that the report is about. */
  readonly domain: string;
  readonly from: Address;
  readonly to: Address;
  readonly myhostname: Domain;
  readonly nowMs: number;
  /** At least 12 octets. */
  readonly random: Uint8Array;
}

/** `mail.example.com!example.net!1470013207!1470186007.json.gz` (RFC 8460 5.1). */
export function reportFileName(domain: string, submitter: string, report: TlsReport): string {
  return `${submitter}!${domain}!${seconds(report.start)}!${seconds(report.end)}.json.gz`;
}

/**
 * The mail, ready for intake. TLS is optional on its way, for it may speak of broken TLS (RFC
 * 8460 3), and so nothing is counted of it: there is no report about a report.
 */
export function tlsLetter(letter: TlsLetter): NewMail {
  const { id, report, packed, domain, from, to, myhostname, nowMs } = letter;
  const name = reportFileName(domain, from.domain, report);
  const json = leafPart(packed, {
    type: 'application/tlsrpt+gzip',
    parameters: [['name', name]],
    disposition: { value: 'attachment', parameters: [['filename', name]] },
  });
  const parameters = [['report-type', 'tlsrpt']] as const;
  const part = multipart('report', [textPart(words(letter)), json], letter.random, parameters);
  const sender = formatAddress(from);
  const subject = `Report Domain: ${domain} Submitter: ${from.domain} Report-ID: <${report.id}>`;
  const { head, body, eightBit } = composeMessage(
    [
      formatStructured('Date', formatDate(nowMs)),
      formatMailboxes('From', [{ address: sender }]),
      formatStructured('To', `<${formatAddress(to)}>`),
      formatText('Subject', subject),
      formatStructured('Message-ID', `<${id}@${myhostname}>`),
      formatStructured('TLS-Report-Domain', domain),
      formatStructured('TLS-Report-Submitter', from.domain),
      formatStructured('TLS-Required', 'No'),
      formatStructured('Auto-Submitted', 'auto-generated'),
    ],
    part,
  );
  const permit = RelayPermit.ownNotice();
  return {
    id,
    origin: 'notice',
    // Nobody wants a report back that could not be delivered.
    reversePath: null,
    recipients: [{ address: to, permit, notify: [], originalRecipient: undefined }],
    content: { head, body },
    structure: undefined,
    messageId: `${id}@${myhostname}`,
    envelope: {
      ret: undefined,
      envelopeId: undefined,
      smtpUtf8: false,
      body: eightBit ? '8bitmime' : '7bit',
      tls: 'optional',
    },
    session: undefined,
    submitter: undefined,
    facts: { kind: 'tls-report', about: domain, report: report.id },
  };
}

function seconds(date: string): number {
  return Math.floor(Date.parse(date) / 1_000);
}

function words({ report, domain }: TlsLetter): string {
  const good = report.policies.reduce((sum, { successful }) => sum + successful, 0);
  const bad = report.policies.reduce((sum, { failed }) => sum + failed, 0);
  return (
    `This is a report about TLS in mail from ${report.organization} to ${domain}\n` +
    `from ${report.start} to ${report.end} (RFC 8460).\n\n` +
    `Sessions as they should be: ${good}\nSessions with a failure:    ${bad}\n\n` +
    `The attachment has the details.\n`
  );
}
