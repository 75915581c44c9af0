/** An MTA-STS policy: read from its file, written for our own domains, held against an MX. */

import { createHash } from 'node:crypto';
import { parseUtf8, utf8 } from '#base/bytes.ts';
import { parseDomain } from '#base/domain.ts';

export interface StsPolicy {
  readonly mode: 'enforce' | 'testing' | 'none';
  readonly maxAgeSeconds: number;
  /** `mail.example.org` or `*.example.org`, as A-labels in lower case; empty with `none` only. */
  readonly mx: readonly string[];
}

export type StsPolicyResult =
  | { readonly kind: 'policy'; readonly policy: StsPolicy }
  | { readonly kind: 'invalid'; readonly why: string };

/** Octets of a policy that are read (RFC 8461 3.3: 64 kilobytes are enough for anyone). */
export const STS_POLICY_BYTES = 65_536;
/** About a year (RFC 8461 3.2). */
export const STS_MAX_AGE_SECONDS = 31_557_600;
const LINES = 1_000;

/** Where it is fetched from (RFC 8461 3.2). */
export function stsPolicyUrl(domain: string): string {
  return `https://mta-sts.${domain}/.well-known/mta-sts.txt`;
}

/**
 * Reads the octets of a policy (RFC 8461 3.2): lines by CRLF or LF, `key: value`. A repeated key
 * counts the first time, but for `mx`; keys that nobody knows are passed over.
 */
export function readStsPolicy(octets: Uint8Array): StsPolicyResult {
  if (octets.length > STS_POLICY_BYTES) return invalid('larger than 64 KiB');
  const text = parseUtf8(octets);
  if (text === undefined) return invalid('not UTF-8');
  const lines = text.split('\n');
  if (lines.length > LINES) return invalid(`more than ${LINES} lines`);
  const first = new Map<string, string>();
  const mx: string[] = [];
  for (const line of lines) {
    const bare = line.endsWith('\r') ? line.slice(0, -1) : line;
    if (bare.trim() === '') continue;
    const colon = bare.indexOf(':');
    if (colon < 1) return invalid('a line that is no "key: value"');
    const [key, value] = [bare.slice(0, colon), bare.slice(colon + 1).trim()];
    if (key === 'mx') mx.push(value);
    else if (!first.has(key)) first.set(key, value);
  }
  return policyOf(first, mx);
}

/** The text that is served for a domain of ours: CRLF line ends (RFC 8461 3.2). */
export function formatStsPolicy(policy: StsPolicy): Uint8Array {
  const lines = [
    'version: STSv1',
    `mode: ${policy.mode}`,
    ...policy.mx.map((host) => `mx: ${host}`),
    `max_age: ${policy.maxAgeSeconds}`,
  ];
  return utf8(lines.map((line) => `${line}\r\n`).join(''));
}

/** The TXT record that goes with a policy: its id changes whenever the policy does. */
export function stsRecordText(policy: StsPolicy): string {
  const id = createHash('sha256').update(formatStsPolicy(policy)).digest('hex').slice(0, 20);
  return `v=STSv1; id=${id};`;
}

/** Whether the policy names this MX host (RFC 8461 4.1): `*` stands for one label, the first. */
export function allowsMx(policy: StsPolicy, host: string): boolean {
  const name = parseDomain(host);
  if (name === undefined) return false;
  const dot = name.indexOf('.');
  const above = dot < 0 ? undefined : `*${name.slice(dot)}`;
  return policy.mx.some((pattern) => pattern === name || pattern === above);
}

function policyOf(fields: ReadonlyMap<string, string>, patterns: readonly string[]) {
  if (fields.get('version') !== 'STSv1') return invalid('the version is not STSv1');
  const mode = fields.get('mode');
  if (mode !== 'enforce' && mode !== 'testing' && mode !== 'none') return invalid('no known mode');
  const age = fields.get('max_age') ?? '';
  const maxAgeSeconds = /^\d{1,10}$/.test(age) ? Number(age) : Number.NaN;
  if (!(maxAgeSeconds <= STS_MAX_AGE_SECONDS))
    return invalid('max_age is no number up to 31557600');
  const mx: string[] = [];
  for (const pattern of patterns) {
    const wild = pattern.startsWith('*.');
    const name = parseDomain(wild ? pattern.slice(2) : pattern);
    if (name === undefined) return invalid('an mx that is no host name');
    mx.push(wild ? `*.${name}` : name);
  }
  if (mx.length === 0 && mode !== 'none') return invalid('no mx');
  return { kind: 'policy', policy: { mode, maxAgeSeconds, mx } } as const;
}

function invalid(why: string): StsPolicyResult & { kind: 'invalid' } {
  return { kind: 'invalid', why };
}
