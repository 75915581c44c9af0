/** How one delivery must be protected: the level, MTA-STS, DANE and what the message asks for. */

import type { JsonObject } from '#base/json.ts';
import { type StsPolicy, allowsMx, formatStsPolicy } from '#trust/mta-sts/policy.ts';
import type { StsFound } from '#trust/mta-sts/policies.ts';
import { showTlsa } from '#trust/dane/records.ts';
import type { TlsFailure, TlsReportPolicy } from '#trust/tls-rpt/words.ts';
import { latin1 } from '#base/bytes.ts';
import type { TransferJob } from '../job.ts';
import type { TransferOptions } from '../options.ts';
import type { Record } from '../record.ts';
import type { Target } from '../route.ts';
import { certifiedByDane, certifiedFor, certifiedWithin } from './certificate.ts';
import { type DaneState, daneOf } from './dane.ts';
import { type SecurityLevel, mappedLevel } from './level.ts';
import type { Protection, Unfit } from './protection.ts';

/** For one delivery by MX; hosts of the configuration have rules of their own. */
export class SecurityPlan {
  readonly #job: TransferJob;
  readonly #options: TransferOptions;
  readonly #record: Record;
  readonly #level: SecurityLevel;
  readonly #mapped: boolean;
  readonly #dane = new Map<string, Promise<DaneState>>();
  #sts: StsFound | undefined;

  constructor(job: TransferJob, options: TransferOptions, record: Record) {
    const mapped = mappedLevel(job.domain, options.security?.levelMaps);
    this.#job = job;
    this.#options = options;
    this.#record = record;
    this.#mapped = mapped !== undefined;
    this.#level = mapped ?? options.security?.level ?? 'may';
  }

  /** Finds the domain's MTA-STS policy, unless the operator decided for this domain himself. */
  async prepare(): Promise<void> {
    const { sts } = this.#options.security ?? {};
    const asks = !this.#mapped && ['may', 'encrypt', 'dane'].includes(this.#level);
    if (asks && sts !== undefined && !this.#job.domain.startsWith('[')) {
      this.#sts = await sts.policyFor(this.#job.domain);
      const { lookup } = this.#sts;
      if (lookup !== undefined) this.#record.txt(`TXT _mta-sts.${this.#job.domain}`, lookup);
    }
    this.#record.security(this.#facts());
  }

  /** What was wrong with finding the policy, for reports. */
  get stsTrouble(): { readonly policy: TlsReportPolicy; readonly failure: TlsFailure } | undefined {
    const failure = this.#sts?.trouble;
    return failure && { failure, policy: this.#stsPolicy(this.#sts?.policy) };
  }

  /** What a connection to this host must be like. */
  async protect(target: Target): Promise<Protection | Unfit> {
    const strict = await this.#published(target);
    const { tls, reversePath } = this.#job.envelope;
    if (tls === 'optional') return relaxed(strict);
    // A notice is not to be lost for want of REQUIRETLS (RFC 8689 5).
    return tls === 'required' && reversePath !== '' ? this.#required(target, strict) : strict;
  }

  /** By the level, and by what the destination publishes. */
  async #published(target: Target): Promise<Protection | Unfit> {
    const level = this.#level;
    const plain = this.#protection({ because: `level ${level}` });
    if (level === 'none') return { ...plain, mode: 'never' };
    if (level === 'verify') return { ...plain, mode: 'must', check: certifiedFor(target.host) };
    if (level === 'secure') {
      const { domain } = this.#job;
      const because = `level secure for ${domain}`;
      return { ...plain, mode: 'must', check: certifiedWithin(domain), because };
    }
    if (level === 'dane' || level === 'dane-only') {
      const byDane = await this.#byDane(target);
      if (byDane !== undefined) return byDane;
    }
    return this.#bySts(target, { ...plain, mode: level === 'encrypt' ? 'must' : 'try' });
  }

  /** undefined: there is nothing that DANE could say. DANE wins over MTA-STS (RFC 8461 2). */
  async #byDane(target: Target): Promise<Protection | Unfit | undefined> {
    const { clock, resolver } = this.#options.world;
    const known = this.#dane.get(target.host) ?? daneOf(target, resolver, this.#record);
    this.#dane.set(target.host, known);
    const state = await known;
    const only = this.#level === 'dane-only';
    switch (state.kind) {
      case 'records': {
        const { base, records } = state;
        const { domain } = this.#job;
        const text = records.map(showTlsa);
        const check = certifiedByDane(records, [base, target.host, domain], () => clock.now());
        const policy = { ...this.#tlsaPolicy(target), text };
        // Below an authority the names count, and the domain is one of them.
        const named = records.some(({ usage }) => usage === 2) ? ` for ${domain}` : '';
        const because = `DANE ${text.join(', ')}${named}`;
        return this.#protection({ mode: 'must', check, serverName: base, because, policy });
      }
      case 'unknown': {
        const why = `the TLSA records of ${target.host} are not known: ${state.why}`;
        return unfit('4.7.5', { kind: 'dnssec-invalid', why }, this.#tlsaPolicy(target));
      }
      case 'unusable': {
        const trouble = { kind: 'tlsa-invalid', why: 'no TLSA record is usable' } as const;
        if (only) return unfit('4.7.5', trouble, this.#tlsaPolicy(target));
        const because = 'DANE: TLS, but no TLSA record is usable';
        const policy = this.#tlsaPolicy(target);
        const weak = this.#protection({ mode: 'must', because, policy, trouble });
        return this.#bySts(target, weak);
      }
      case 'absent': {
        if (!only) return undefined;
        const why = `${target.host} has no authentic TLSA records`;
        return unfit('4.7.5', { kind: 'dane-required', why }, this.#tlsaPolicy(target));
      }
    }
  }

  /** What an MTA-STS policy adds; `testing` changes nothing but what is told (RFC 8461 5). */
  #bySts(target: Target, without: Protection): Protection | Unfit {
    const found = this.#sts?.policy;
    if (found === undefined || found.mode === 'none') return without;
    const policy = this.#stsPolicy(found);
    const check = certifiedFor(target.host);
    const because = `MTA-STS ${found.mode} ${this.#sts?.id ?? ''}`;
    const why = `${target.host} is not among the MX hosts of the MTA-STS policy`;
    const foreign = allowsMx(found, target.host)
      ? undefined
      : ({ kind: 'validation-failure', why } as const);
    if (found.mode === 'testing') {
      const observe = foreign === undefined ? check : () => foreign;
      return { ...without, observe, policy, because: `${without.because}; ${because}` };
    }
    if (foreign !== undefined) return unfit('4.7.5', foreign, policy);
    return { ...without, mode: 'must', check, policy, because };
  }

  /** REQUIRETLS: the name of the host must be vouched for, and the host for itself. */
  #required(target: Target, strict: Protection | Unfit): Protection | Unfit {
    if (strict.kind === 'unfit') return strict;
    const because = `REQUIRETLS; ${strict.because}`;
    if (strict.check !== undefined && strict.policy.type !== 'no-policy-found') {
      return { ...strict, because };
    }
    const found = this.#sts?.policy;
    const bySts = found !== undefined && found.mode !== 'none' && allowsMx(found, target.host);
    const byDomain = this.#level === 'secure';
    if (target.dnssec?.mx === true || bySts || byDomain) {
      return { ...strict, mode: 'must', check: strict.check ?? certifiedFor(target.host), because };
    }
    const why = `REQUIRETLS: neither DNSSEC nor MTA-STS vouches for ${target.host}`;
    const failure = { kind: 'validation-failure', why } as const;
    return { ...unfit('5.7.10', failure, strict.policy), outcome: 'failed' };
  }

  #protection(some: Partial<Protection> & { readonly because: string }): Protection {
    return {
      kind: 'protection',
      mode: 'try',
      check: undefined,
      observe: undefined,
      serverName: undefined,
      policy: { type: 'no-policy-found', text: [], domain: this.#job.domain, mx: [] },
      trouble: undefined,
      ...some,
    };
  }

  #stsPolicy(policy: StsPolicy | undefined): TlsReportPolicy {
    const text =
      policy === undefined ? [] : latin1(formatStsPolicy(policy)).trimEnd().split('\r\n');
    return { type: 'sts', text, domain: this.#job.domain, mx: policy?.mx ?? [] };
  }

  #tlsaPolicy(target: Target): TlsReportPolicy {
    return { type: 'tlsa', text: [], domain: this.#job.domain, mx: [target.host] };
  }

  #facts(): JsonObject {
    const sts = this.#sts;
    const { tls } = this.#job.envelope;
    return {
      level: this.#level,
      ...(tls === undefined ? {} : { message: tls }),
      ...(sts === undefined || (sts.policy === undefined && sts.trouble === undefined)
        ? {}
        : {
            mtaSts: {
              mode: sts.policy?.mode ?? null,
              id: sts.id ?? null,
              source: sts.source,
              trouble: sts.trouble === undefined ? null : `${sts.trouble.kind}: ${sts.trouble.why}`,
            },
          }),
    };
  }
}

/** `TLS-Required: No` (RFC 8689 4.2.2): the same is tried, and nothing depends on it. */
function relaxed(strict: Protection | Unfit): Protection {
  if (strict.kind === 'protection') {
    const mode = strict.mode === 'never' ? 'never' : 'try';
    const observe = strict.check ?? strict.observe;
    const because = `TLS-Required: No; ${strict.because}`;
    return { ...strict, mode, check: undefined, observe, because };
  }
  const { failure, policy } = strict;
  return {
    kind: 'protection',
    mode: 'try',
    check: undefined,
    observe: () => failure,
    serverName: undefined,
    because: `TLS-Required: No; ${failure.why}`,
    policy,
    trouble: failure,
  };
}

function unfit(status: string, failure: TlsFailure, policy: TlsReportPolicy): Unfit {
  return { kind: 'unfit', outcome: 'deferred', status, reason: failure.why, policy, failure };
}
