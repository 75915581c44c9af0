/** The MTA-STS policies of other domains: discovered, fetched, kept until they end (RFC 8461 5). */

import { Failure } from '#base/failure.ts';
import type { Notebook } from '#base/notebook.ts';
import type { Web, WebResponse } from '#base/web.ts';
import type { Clock, Lookup, Resolver, Timer } from '#base/world.ts';
import { type KeptPolicy, formatKept, readKept } from './kept.ts';
import { STS_POLICY_BYTES, type StsPolicy, readStsPolicy, stsPolicyUrl } from './policy.ts';
import { type StsRecord, readStsRecords, stsRecordName } from './record.ts';

/** What is known of a domain's policy now. */
export interface StsFound {
  /** undefined: none applies. */
  readonly policy: StsPolicy | undefined;
  /** The id it was fetched for. */
  readonly id: string | undefined;
  readonly source: 'fetched' | 'kept' | 'none';
  /** What went wrong on the way, although a kept policy may apply; for reports and the ledger. */
  readonly trouble: StsTrouble | undefined;
  /** The answer that began it, for the ledger. */
  readonly lookup?: Lookup<string>;
}

export interface StsTrouble {
  /** The words of RFC 8460 4.3.2.2. */
  readonly kind: 'sts-policy-fetch-error' | 'sts-policy-invalid' | 'sts-webpki-invalid';
  readonly why: string;
}

export interface StsOptions {
  readonly resolver: Resolver;
  readonly web: Web;
  readonly clock: Clock;
  readonly notebook: Notebook;
  /** Told when the notebook could not be written. */
  readonly notKept: (failure: Failure) => void;
  /** Policies kept; above it the one that was fetched first goes. Default 10,000. */
  readonly domains?: number;
  /** For one fetch. Default 60,000 (RFC 8461 3.3 suggests one minute). */
  readonly fetchMs?: number;
  /** After a fetch that failed there is no other for so long. Default 300,000. */
  readonly pauseMs?: number;
}

const DOMAINS = 10_000;
const FETCH_MS = 60_000;
const PAUSE_MS = 300_000;
const SAVE_MS = 1_000;

/** Keeps policies for all destinations; one object for the life of the process. */
export class StsPolicies {
  readonly #options: StsOptions;
  readonly #kept: Map<string, KeptPolicy>;
  readonly #running = new Map<string, Promise<StsFound>>();
  readonly #failed = new Map<string, { readonly untilMs: number; readonly trouble: StsTrouble }>();
  #timer: Timer | undefined;

  constructor(options: StsOptions) {
    this.#options = options;
    this.#kept = readKept(options.notebook.read(), options.domains ?? DOMAINS);
  }

  /** The policy that applies to a domain. Never fails: a trouble is part of the answer. */
  policyFor(domain: string): Promise<StsFound> {
    const running = this.#running.get(domain);
    if (running !== undefined) return running;
    const started = this.#find(domain).finally(() => this.#running.delete(domain));
    this.#running.set(domain, started);
    return started;
  }

  /** Writes what is not written yet, and no more. */
  close(): void {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#save();
  }

  async #find(domain: string): Promise<StsFound> {
    const lookup = await this.#options.resolver.txt(stsRecordName(domain));
    const record: StsRecord =
      lookup.kind === 'found' ? readStsRecords(lookup.records) : { kind: 'none' };
    return { ...(await this.#judge(domain, record)), lookup };
  }

  async #judge(domain: string, record: StsRecord): Promise<StsFound> {
    const kept = this.#fresh(domain);
    // Whoever can hide the record must not be able to lift the policy (RFC 8461 10.2).
    if (record.kind === 'none') return foundKept(kept, undefined);
    if (record.kind === 'invalid') {
      return foundKept(kept, { kind: 'sts-policy-invalid', why: `_mta-sts: ${record.why}` });
    }
    if (kept?.id === record.id && !this.#ageing(kept)) return foundKept(kept, undefined);
    const failed = this.#failed.get(domain);
    if (failed !== undefined && failed.untilMs > this.#options.clock.elapsed()) {
      return foundKept(kept, failed.trouble);
    }
    return this.#fetch(domain, record.id, kept);
  }

  async #fetch(domain: string, id: string, kept: KeptPolicy | undefined): Promise<StsFound> {
    const { clock } = this.#options;
    const result = await this.#get(domain);
    if ('trouble' in result) {
      this.#pause(domain, result.trouble);
      return foundKept(kept, result.trouble);
    }
    const { policy } = result;
    this.#failed.delete(domain);
    this.#kept.delete(domain);
    this.#kept.set(domain, { id, policy, fetchedMs: clock.now() });
    this.#shrink();
    this.#timer ??= clock.after(SAVE_MS, () => this.#save());
    return { policy, id, source: 'fetched', trouble: undefined };
  }

  async #get(domain: string): Promise<{ policy: StsPolicy } | { trouble: StsTrouble }> {
    let response: WebResponse;
    try {
      response = await this.#options.web.send({
        method: 'GET',
        url: stsPolicyUrl(domain),
        timeoutMs: this.#options.fetchMs ?? FETCH_MS,
        maxBytes: STS_POLICY_BYTES,
      });
    } catch (thrown) {
      const { code, message } = Failure.from(thrown);
      const kind = code === 'tls-unverified' ? 'sts-webpki-invalid' : 'sts-policy-fetch-error';
      return { trouble: { kind, why: message } };
    }
    // A redirect is an answer like 404 (RFC 8461 3.3): who can only redirect does not own the name.
    if (response.status !== 200) {
      const why = `the policy host answered ${response.status}`;
      return { trouble: { kind: 'sts-policy-fetch-error', why } };
    }
    const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
    if (type !== 'text/plain') {
      return { trouble: { kind: 'sts-policy-invalid', why: 'the policy is not text/plain' } };
    }
    const read = readStsPolicy(response.body);
    if (read.kind === 'policy') return { policy: read.policy };
    return { trouble: { kind: 'sts-policy-invalid', why: read.why } };
  }

  /** The kept policy, unless its time is over or the clock went back behind its beginning. */
  #fresh(domain: string): KeptPolicy | undefined {
    const kept = this.#kept.get(domain);
    if (kept === undefined) return undefined;
    const ageMs = this.#options.clock.now() - kept.fetchedMs;
    return ageMs >= 0 && ageMs < kept.policy.maxAgeSeconds * 1_000 ? kept : undefined;
  }

  /** In the second half of its life it is fetched again, so that it never ends in between. */
  #ageing(kept: KeptPolicy): boolean {
    return this.#options.clock.now() - kept.fetchedMs > kept.policy.maxAgeSeconds * 500;
  }

  #pause(domain: string, trouble: StsTrouble): void {
    const untilMs = this.#options.clock.elapsed() + (this.#options.pauseMs ?? PAUSE_MS);
    this.#failed.delete(domain);
    this.#failed.set(domain, { untilMs, trouble });
    if (this.#failed.size <= (this.#options.domains ?? DOMAINS)) return;
    const [oldest] = this.#failed.keys();
    if (oldest !== undefined) this.#failed.delete(oldest);
  }

  #shrink(): void {
    if (this.#kept.size <= (this.#options.domains ?? DOMAINS)) return;
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined) this.#kept.delete(oldest);
  }

  #save(): void {
    this.#timer = undefined;
    try {
      this.#options.notebook.write(formatKept(this.#kept));
    } catch (thrown) {
      this.#options.notKept(Failure.from(thrown));
    }
  }
}

function foundKept(kept: KeptPolicy | undefined, trouble: StsTrouble | undefined): StsFound {
  if (kept === undefined) return { policy: undefined, id: undefined, source: 'none', trouble };
  return { policy: kept.policy, id: kept.id, source: 'kept', trouble };
}
