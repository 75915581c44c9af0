/** The cache of policies as a text: what is read back is checked like what comes from outside. */

import { parseDomain } from '#base/domain.ts';
import { type StsPolicy, STS_MAX_AGE_SECONDS } from './policy.ts';

export interface KeptPolicy {
  readonly id: string;
  readonly policy: StsPolicy;
  /** Milliseconds since 1970. */
  readonly fetchedMs: number;
}

/** One JSON object with a member for each domain. */
export function formatKept(kept: ReadonlyMap<string, KeptPolicy>): string {
  return `${JSON.stringify({ version: 1, policies: [...kept] })}\n`;
}

/** The other way; entries that are not what they should be are left out. */
export function readKept(text: string | undefined, most: number): Map<string, KeptPolicy> {
  const kept = new Map<string, KeptPolicy>();
  let whole: unknown;
  try {
    whole = text === undefined ? undefined : JSON.parse(text);
  } catch {
    return kept;
  }
  if (!isObject(whole) || !Array.isArray(whole['policies'])) return kept;
  for (const entry of whole['policies']) {
    if (kept.size >= most || !Array.isArray(entry)) break;
    const [domain, value]: unknown[] = entry;
    const policy = isObject(value) ? keptOf(value) : undefined;
    if (typeof domain === 'string' && policy !== undefined) kept.set(domain, policy);
  }
  return kept;
}

function keptOf({ id, policy, fetchedMs }: Record<string, unknown>): KeptPolicy | undefined {
  if (typeof id !== 'string' || typeof fetchedMs !== 'number' || !isObject(policy))
    return undefined;
  const { mode, maxAgeSeconds, mx } = policy;
  if (mode !== 'enforce' && mode !== 'testing' && mode !== 'none') return undefined;
  if (typeof maxAgeSeconds !== 'number' || !(maxAgeSeconds >= 0)) return undefined;
  if (maxAgeSeconds > STS_MAX_AGE_SECONDS || !Array.isArray(mx) || !mx.every(isPattern)) {
    return undefined;
  }
  return { id, fetchedMs, policy: { mode, maxAgeSeconds, mx } };
}

function isPattern(value: unknown): value is string {
  return typeof value === 'string' && parseDomain(value.replace(/^\*\./, '')) !== undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
