/** One job on its way: hosts in order, a session with each, until every recipient has a result. */

import { invariant } from '#base/failure.ts';
import type { JsonObject } from '#base/json.ts';
import type { SmtpSession } from '#protocol/smtp/client/session.ts';
import { transact, type Outcome } from '#protocol/smtp/client/transaction.ts';
import type { RecipientResult, TransferJob, TransferResult } from './job.ts';
import type { KeptSession, KeptSessions } from './kept.ts';
import { openSession, type Purpose } from './opening.ts';
import type { TransferOptions } from './options.ts';
import { answers, Record, replyText, tlsFacts } from './record.ts';
import { routeFor, type Smarthost } from './relayhost.ts';
import { routeByMx, routeBySmarthost, type Target } from './route.ts';
import { SecurityPlan } from './security/plan.ts';
import { type Protection, type Unfit, configured } from './security/protection.ts';
import { SessionWatch } from './security/watch.ts';
import { deferred, hostText, tooMany, type Trouble } from './trouble.ts';

type Recipient = TransferJob['recipients'][number];

export class Delivery {
  readonly #job: TransferJob;
  readonly #options: TransferOptions;
  readonly #kept: KeptSessions;
  readonly #smarthost: Smarthost | undefined;
  readonly #record = new Record();
  readonly #plan: SecurityPlan;
  readonly #results = new Map<number, RecipientResult>();
  readonly #troubles: Trouble[] = [];

  constructor(job: TransferJob, options: TransferOptions, kept: KeptSessions) {
    this.#job = job;
    this.#options = options;
    this.#kept = kept;
    this.#smarthost = routeFor(job.domain, options);
    this.#plan = new SecurityPlan(job, options, this.#record);
  }

  async run(): Promise<TransferResult> {
    const routing = await this.#route();
    if (routing.kind === 'targets') {
      if (this.#smarthost === undefined) await this.#plan.prepare();
      this.#tellStsTrouble();
      for (const target of routing.targets) {
        if (this.#pending().length === 0) break;
        await this.#try(target);
      }
      this.#settle(this.#verdict());
    } else {
      const { kind, status, reason } = routing;
      this.#settle({ kind, status, reason, reply: undefined, host: undefined });
    }
    return this.#result();
  }

  /** After a bug of ours: what is known stays known, the rest is kept and says so. */
  broken(bug: unknown): TransferResult {
    const reason = `an error inside this server: ${bug instanceof Error ? bug.message : String(bug)}`;
    this.#settle({ kind: 'deferred', status: '4.3.0', reason, reply: undefined, host: undefined });
    const { recipients, facts } = this.#result();
    const where = bug instanceof Error ? (bug.stack ?? reason) : reason;
    return { recipients, facts: { ...facts, bug: where } };
  }

  #result(): TransferResult {
    const recipients = this.#job.recipients.map(({ number }) => {
      const result = this.#results.get(number);
      invariant(result !== undefined, 'every recipient has a result');
      return result;
    });
    return { recipients, facts: this.#record.facts() };
  }

  #route(): ReturnType<typeof routeByMx> {
    const { world, hostname, port, families } = this.#options;
    const options = {
      resolver: world.resolver,
      random: world.random,
      hostname: hostname.toLowerCase(),
      ownAddresses: this.#options.ownAddresses ?? [],
      permitLoopback: this.#options.permitLoopback ?? false,
      permitPrivate: this.#options.permitPrivate ?? false,
      port: port ?? 25,
      families: families ?? (['ipv4', 'ipv6'] as const),
      maxHosts: this.#options.maxHosts ?? 8,
      maxAddresses: this.#options.maxAddresses ?? 10,
    };
    const { domain } = this.#job;
    const smarthost = this.#smarthost;
    if (smarthost === undefined) {
      this.#record.route(`MX of ${domain}`);
      return routeByMx(domain, options, this.#record);
    }
    this.#record.route(`relay host ${smarthost.host}:${smarthost.port}`);
    return routeBySmarthost(smarthost, options, this.#record);
  }

  /** A kept session first; when it is no longer good, a fresh one, and that alone counts. */
  async #try(target: Target): Promise<void> {
    const protection = await this.#protection(target);
    if (protection.kind === 'unfit') return this.#passOver(target, protection);
    const key = this.#key(target, protection);
    const kept = this.#kept.take(key);
    if (kept !== undefined) {
      const alive = !kept.unfinished || (await kept.session.reset());
      const { because } = protection;
      if (alive && (await this.#deliver(target, key, kept, { because })) === undefined) return;
      if (!alive) kept.session.dialogue.destroy();
      this.#record.host({ host: hostText(target), outcome: 'kept connection was gone' });
    }
    const watch = new SessionWatch(protection, target, this.#counted);
    const opened = await openSession(target, protection, watch, this.#purpose);
    watch.done();
    if (opened.kind === 'trouble') this.#troubles.push(opened.trouble);
    if (opened.kind === 'trouble' || this.#pending().length === 0) return;
    const trouble = await this.#deliver(target, key, unused(opened.session), watch.facts);
    if (trouble !== undefined) this.#troubles.push(trouble);
  }

  #protection(target: Target): Promise<Protection | Unfit> | Protection {
    const { domain, envelope } = this.#job;
    const smarthost = this.#smarthost;
    if (smarthost === undefined) return this.#plan.protect(target);
    return configured(smarthost, domain, envelope);
  }

  /** Transactions until nobody waits; the trouble if the host went bad on the way. */
  async #deliver(
    target: Target,
    key: string,
    kept: KeptSession,
    security: JsonObject,
  ): Promise<Trouble | undefined> {
    const { session } = kept;
    const most = this.#options.recipientsPerTransaction ?? 100;
    const perTransaction = Math.max(1, Math.min(most, session.capabilities.maxRecipients ?? most));
    let { messages } = kept;
    for (;;) {
      const batch = this.#pending().slice(0, perTransaction);
      const { envelope, sizeBytes, read } = this.#job;
      const result = await transact(session, { envelope, recipients: batch, sizeBytes, read });
      messages += 1;
      const trouble = this.#take(batch, result.outcomes, target, { session, security });
      const more = this.#pending().length > 0;
      if (!result.usable) {
        session.dialogue.end();
        // Out of step after an answer to everybody in the batch: the rest needs a new session.
        return (
          trouble ?? (more ? deferred(target, '4.4.2', 'the connection was closed') : undefined)
        );
      }
      const { unfinished } = result;
      if (trouble === undefined && more && (!unfinished || (await session.reset()))) continue;
      if (trouble === undefined && !more) this.#kept.give(key, { session, messages, unfinished });
      else void session.quit();
      return trouble ?? (more ? deferred(target, '4.4.2', 'RSET was refused') : undefined);
    }
  }

  get #purpose(): Purpose {
    const { envelope } = this.#job;
    return {
      envelope,
      options: this.#options,
      smarthost: this.#smarthost,
      record: this.#record,
    };
  }

  /** Outcomes to results; those about the host leave their recipients waiting. */
  #take(
    batch: readonly Recipient[],
    outcomes: readonly Outcome[],
    target: Target,
    { session, security }: { readonly session: SmtpSession; readonly security: JsonObject },
  ): Trouble | undefined {
    const host = hostText(target);
    const dsnPassedOn = session.capabilities.keywords.has('DSN');
    const progress = outcomes.some(({ kind }) => kind === 'delivered');
    const pairs: [number, Outcome][] = [];
    let trouble: Trouble | undefined;
    for (const [index, { number }] of batch.entries()) {
      const outcome = outcomes[index];
      invariant(outcome !== undefined, 'every recipient has an outcome');
      pairs.push([number, outcome]);
      if (outcome.kind === 'delivered') {
        const { reply } = outcome;
        this.#results.set(number, { number, kind: 'delivered', reply, host, dsnPassedOn });
        continue;
      }
      const { kind, reply, status, reason } = outcome;
      if (outcome.about === 'host') trouble = { kind, reply, status, reason, host };
      // RFC 5321 4.5.3.1.10: "too many recipients" asks for another transaction, at once.
      else if (progress && tooMany(outcome)) continue;
      else this.#results.set(number, { number, kind, reply, status, reason, host });
    }
    this.#record.host({
      host,
      outcome: trouble === undefined ? 'answered' : trouble.reason,
      tls: tlsFacts(session.dialogue.secure),
      security,
      startTlsRefused: session.startTlsRefused && replyText(session.startTlsRefused),
      answers: answers(pairs),
    });
    return trouble;
  }

  /** A host that must not be used; nobody connected to it. */
  #passOver(target: Target, unfit: Unfit): void {
    const { outcome: kind, status, reason, policy, failure } = unfit;
    const host = hostText(target);
    this.#troubles.push({ kind, status, reason, reply: undefined, host });
    this.#record.host({ host, outcome: reason, security: 'passed over' });
    this.#counted?.({ policy, failure, mx: target.host, address: target.address });
  }

  #tellStsTrouble(): void {
    const trouble = this.#plan.stsTrouble;
    if (trouble === undefined) return;
    this.#counted?.({ ...trouble, mx: undefined, address: undefined });
  }

  /** Nothing is reported about mail for which TLS did not matter: reports are such mail. */
  get #counted() {
    const silent = this.#smarthost !== undefined || this.#job.envelope.tls === 'optional';
    return silent ? undefined : this.#options.security?.counted;
  }

  /** Permanent only when every host said so; else the last word that was not. */
  #verdict(): Trouble {
    const last = this.#troubles.findLast(({ kind }) => kind === 'deferred');
    const verdict = last ?? this.#troubles.at(-1);
    const reason = 'no host was tried';
    return (
      verdict ?? { kind: 'deferred', status: '4.4.1', reason, reply: undefined, host: undefined }
    );
  }

  #settle(trouble: Trouble): void {
    for (const { number } of this.#pending()) this.#results.set(number, { number, ...trouble });
  }

  #pending(): Recipient[] {
    return this.#job.recipients.filter(({ number }) => !this.#results.has(number));
  }

  /** Sessions are the same only with the same host, protection and login. */
  #key(target: Target, { mode, because, verify }: Protection): string {
    const { host, address, port } = target;
    const { credentials, lmtp } = this.#smarthost ?? {};
    const login = credentials?.login ?? null;
    const how = [mode, because, verify ?? false, login, lmtp ?? false];
    return JSON.stringify([address, port, host, ...how]);
  }
}

function unused(session: SmtpSession): KeptSession {
  return { session, messages: 0, unfinished: false };
}
