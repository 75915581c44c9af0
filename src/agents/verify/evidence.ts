/** What verification found, as the ledger keeps it: bounded, and enough to judge it all again. */

import type { Json, JsonObject } from '#base/json.ts';
import { visible } from '#base/bytes.ts';
import type { ArcReport } from '#trust/arc/verify.ts';
import type { DkimReport, DkimResult } from '#trust/dkim/result.ts';
import type { DmarcOutcome } from '#trust/dmarc/evaluate.ts';
import type { IprevOutcome } from '#trust/iprev.ts';
import { type DnsFact, dnsEvidence } from '#trust/questions.ts';
import type { SpfOutcome } from '#trust/spf/outcome.ts';

export interface Findings {
  readonly spf: SpfOutcome;
  readonly identity: 'mailfrom' | 'helo';
  readonly iprev: IprevOutcome;
  readonly dkim: DkimReport;
  readonly arc: ArcReport;
  readonly dmarc: DmarcOutcome;
}

const SEALS = 10;
const NAMES_CHARACTERS = 500;
const CLAIM_CHARACTERS = 500;

/** Findings as far as there are any, and each question to the DNS with its answer, in order. */
export function evidenceOf(found: Partial<Findings>, dns: readonly DnsFact[]): JsonObject {
  const { iprev, spf, identity, dkim, arc, dmarc } = found;
  return {
    ...(dmarc === undefined ? {} : { dmarc: dmarcFacts(dmarc) }),
    ...(spf === undefined ? {} : { spf: spfFacts(spf, identity) }),
    ...(dkim === undefined ? {} : { dkim: dkim.results.map(signatureFacts) }),
    ...(dkim === undefined || dkim.notLookedAt === 0 ? {} : { notLookedAt: dkim.notLookedAt }),
    ...(arc === undefined || arc.status === 'none' ? {} : { arc: arcFacts(arc) }),
    ...(iprev === undefined ? {} : { iprev: iprevFacts(iprev) }),
    ...(dns.length === 0 ? {} : { dns: dnsEvidence(dns) }),
  };
}

function dmarcFacts(dmarc: DmarcOutcome): Json {
  const { result, why, author, policy, disposition, atStake, aligned } = dmarc;
  return {
    result,
    why,
    author,
    disposition,
    atStake: atStake === 'none' ? undefined : atStake,
    policy: policy === undefined ? undefined : `${policy.domain} (${policy.place})`,
    aligned: aligned.map(({ method, domain, how }) => `${method} ${domain}: ${how}`),
  };
}

function spfFacts(spf: SpfOutcome, identity: Findings['identity'] | undefined): Json {
  const { result, domain, mechanism, why, explanation } = spf;
  return { result, identity, domain, mechanism, why, explanation };
}

function signatureFacts(one: DkimResult): Json {
  const { status, reason, domain, selector, algorithm, keyBits, mark, signedFields } = one;
  return {
    result: status,
    why: reason,
    domain,
    selector,
    algorithm,
    keyBits,
    mark,
    signedAt: one.signedAtSeconds,
    expires: one.expiresAtSeconds,
    unsignedBytes: one.unsignedBytes,
    testing: one.testing ? true : undefined,
    fields: visible(signedFields.join(':'), NAMES_CHARACTERS),
  };
}

function arcFacts({ status, reason, sets, oldestPass, partial }: ArcReport): Json {
  return {
    result: status,
    why: reason,
    oldestPass,
    partial: partial ? true : undefined,
    seals: sets.slice(-SEALS).map(({ instance, sealer, results }) => {
      return { instance, sealer, results: visible(results, CLAIM_CHARACTERS) };
    }),
  };
}

function iprevFacts({ result, name, claimed, why }: IprevOutcome): Json {
  return { result, name, why, claimed: name === undefined ? claimed : undefined };
}
