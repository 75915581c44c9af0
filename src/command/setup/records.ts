/** The DNS records of a mail domain: what to publish, and why; for a table, a zone file and JSON. */

import { recordStrings } from '#trust/dkim/keys.ts';
import type { SetupPlan } from './plan.ts';

export interface DnsRecord {
  /** Without trailing dot. */
  readonly name: string;
  readonly type: 'MX' | 'A' | 'AAAA' | 'TXT' | 'SRV' | 'CAA' | 'TLSA' | 'CNAME';
  /** As in a zone file, TXT without quotes, names with their trailing dot. */
  readonly value: string;
  /** Without it mail does not work; mail is not trusted; something is less comfortable. */
  readonly need: 'must' | 'should' | 'may';
  readonly why: string;
}

export interface RecordInputs {
  readonly plan: Pick<SetupPlan, 'domain' | 'hostname' | 'ipv4' | 'ipv6'>;
  /** Names and texts of DKIM keys. */
  readonly keys: readonly { readonly name: string; readonly value: string }[];
  /** The MTA-STS policy is served here. */
  readonly servesPolicy: boolean;
  /** Changes when the policy does. */
  readonly policyId: string;
  /** SHA-256 of the public key of the certificate, hexadecimal; undefined: none to publish. */
  readonly tlsaDigest: string | undefined;
  /** Who may issue certificates; empty: no CAA record. */
  readonly authorities: readonly string[];
}

/** All records of one domain, the needed ones first. */
export function recordsFor(inputs: RecordInputs): readonly DnsRecord[] {
  const { plan, keys } = inputs;
  const { domain, hostname } = plan;
  const reports = `postmaster@${domain}`;
  const txt = (name: string, value: string, need: DnsRecord['need'], why: string): DnsRecord => ({
    name,
    type: 'TXT',
    value,
    need,
    why,
  });
  return [
    { name: domain, type: 'MX', value: `10 ${hostname}.`, need: 'must', why: 'mail comes here' },
    ...addresses(inputs),
    txt(domain, 'v=spf1 mx -all', 'should', 'only the MX hosts send for this domain'),
    txt(hostname, 'v=spf1 a -all', 'should', 'the name in HELO, for mail without a sender'),
    ...keys.map(({ name, value }) => txt(name, value, 'should', 'signatures can be verified')),
    txt(
      `_dmarc.${domain}`,
      `v=DMARC1; p=quarantine; rua=mailto:${reports}`,
      'should',
      'what to do with mail that only pretends; p=reject once the reports are clean',
    ),
    txt(`_smtp._tls.${domain}`, `v=TLSRPTv1; rua=mailto:${reports}`, 'may', 'reports about TLS'),
    ...policy(inputs),
    ...tlsa(inputs),
    ...services(inputs),
    ...inputs.authorities.map((authority): DnsRecord => ({
      name: hostname,
      type: 'CAA',
      value: `0 issue "${authority}"`,
      need: 'may',
      why: 'nobody else may issue certificates',
    })),
  ];
}

function addresses({ plan: { hostname, ipv4, ipv6 } }: RecordInputs): readonly DnsRecord[] {
  const why = 'where the server is';
  return [
    ...ipv4.map((value): DnsRecord => ({ name: hostname, type: 'A', value, need: 'must', why })),
    ...ipv6.map((value): DnsRecord => ({ name: hostname, type: 'AAAA', value, need: 'must', why })),
  ];
}

function policy({ plan, servesPolicy, policyId }: RecordInputs): readonly DnsRecord[] {
  if (!servesPolicy) return [];
  const { domain, hostname } = plan;
  const why = 'senders must use TLS (MTA-STS)';
  return [
    { name: `_mta-sts.${domain}`, type: 'TXT', value: `v=STSv1; id=${policyId}`, need: 'may', why },
    { name: `mta-sts.${domain}`, type: 'CNAME', value: `${hostname}.`, need: 'may', why },
  ];
}

function tlsa({ plan, tlsaDigest }: RecordInputs): readonly DnsRecord[] {
  if (tlsaDigest === undefined) return [];
  return [
    {
      name: `_25._tcp.${plan.hostname}`,
      type: 'TLSA',
      value: `3 1 1 ${tlsaDigest}`,
      need: 'may',
      why: 'DANE; only where the zone is signed, and the key of the certificate stays',
    },
  ];
}

/** RFC 8314 5.1: the services with TLS from the start, and that there are none without. */
function services({ plan: { domain, hostname } }: RecordInputs): readonly DnsRecord[] {
  const why = 'mail programs set themselves up';
  const at = (service: string, value: string): DnsRecord => ({
    name: `${service}._tcp.${domain}`,
    type: 'SRV',
    value,
    need: 'may',
    why,
  });
  return [
    at('_submissions', `0 1 465 ${hostname}.`),
    at('_imaps', `0 1 993 ${hostname}.`),
    at('_pop3s', `10 1 995 ${hostname}.`),
    at('_imap', '0 0 0 .'),
    at('_pop3', '0 0 0 .'),
  ];
}

/** Lines of a zone file, with the reasons as comments. */
export function zoneText(records: readonly DnsRecord[]): string {
  return records
    .map(({ name, type, value, why }) => {
      const data =
        type === 'TXT'
          ? recordStrings(value)
              .map((one) => `"${escaped(one)}"`)
              .join(' ')
          : value;
      return `${name}. IN ${type} ${data} ; ${why}\n`;
    })
    .join('');
}

function escaped(text: string): string {
  return text.replace(/["\\]/g, (character) => `\\${character}`);
}
