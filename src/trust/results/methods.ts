/** The outcomes of our checks as results of RFC 8601 2.7: which properties each one reports. */

import type { ArcReport } from '#trust/arc/verify.ts';
import type { DmarcOutcome } from '#trust/dmarc/evaluate.ts';
import type { IprevOutcome } from '#trust/iprev.ts';
import type { SpfOutcome } from '#trust/spf/outcome.ts';
import type { MethodResult, Property } from './authentication-results.ts';

/** What is reported of one DKIM signature; a `DkimResult` is one. */
export interface SignatureResult {
  readonly status: string;
  readonly reason: string;
  readonly domain: string | undefined;
  readonly selector: string | undefined;
  readonly identity: { readonly domain: string } | undefined;
  readonly algorithm: string | undefined;
  /** The beginning of `b=`. */
  readonly mark: string;
}

/** RFC 8601 2.7.2. Only the domain is reported of MAIL FROM: that is what SPF speaks about. */
export function spfMethod(outcome: SpfOutcome, identity: 'mailfrom' | 'helo'): MethodResult {
  const { result, domain, why } = outcome;
  const properties = [{ type: 'smtp', name: identity, value: domain }] as const;
  return { method: 'spf', result, comment: why, properties };
}

/** RFC 8601 2.7.1: one result for each signature that was looked at, `none` without any. */
export function dkimMethods(results: readonly SignatureResult[]): MethodResult[] {
  if (results.length === 0) return [{ method: 'dkim', result: 'none', properties: [] }];
  return results.map(dkimMethod);
}

/** RFC 7489 11.1; what the owner asks for, or would ask for if it fails: not what was done. */
export function dmarcMethod(outcome: DmarcOutcome): MethodResult {
  const { result, author, policy, disposition, atStake, why } = outcome;
  const wish = result === 'temperror' ? `${atStake} is at stake` : `asks ${disposition}`;
  const asked = policy === undefined ? '' : `; p=${policy.record.policy}, ${wish}`;
  const properties: Property[] = [];
  if (author !== undefined) properties.push({ type: 'header', name: 'from', value: author });
  return { method: 'dmarc', result, comment: `${why}${asked}`, properties };
}

/** RFC 8601 2.7.3. */
export function iprevMethod(outcome: IprevOutcome, ip: string): MethodResult {
  const { result, name, why } = outcome;
  const properties = [{ type: 'policy', name: 'iprev', value: ip }] as const;
  return { method: 'iprev', result, comment: name ?? why, properties };
}

/** RFC 8617 10.1, 10.2: the chain's state, whom we heard it from, since when nothing changed. */
export function arcMethod(report: ArcReport, ip: string): MethodResult {
  const { status, reason, oldestPass, sets } = report;
  const properties: Property[] = [{ type: 'smtp', name: 'remote-ip', value: ip }];
  if (oldestPass !== undefined) {
    properties.push({ type: 'header', name: 'oldest-pass', value: String(oldestPass) });
  }
  const sealer = sets.at(-1)?.sealer;
  const comment = sealer === undefined ? reason : `i=${sets.length}, sealed by ${sealer}`;
  return { method: 'arc', result: status, comment, properties };
}

function dkimMethod(one: SignatureResult): MethodResult {
  const { status, reason, domain, selector, identity, algorithm, mark } = one;
  return {
    method: 'dkim',
    result: status,
    ...(status === 'pass' ? {} : { comment: reason }),
    properties: [
      ...headerProperty('d', domain),
      ...headerProperty('i', identity === undefined ? undefined : `@${identity.domain}`),
      ...headerProperty('s', selector),
      ...headerProperty('a', algorithm),
      // RFC 6008: tells several signatures of one domain apart.
      ...headerProperty('b', mark),
    ],
  };
}

function headerProperty(name: string, value: string | undefined): Property[] {
  return value === undefined || value === '' ? [] : [{ type: 'header', name, value }];
}
