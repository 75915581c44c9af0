/** The host of one POP3 session: answers the machine's questions from the store. */

import type { AccountId, Awaitable, SessionId } from '#base/brand.ts';
import { invariant } from '#base/failure.ts';
import type { Connection } from '#base/world.ts';
import type { Pop3Answer, Pop3Fact, Pop3Question } from '#protocol/pop3/questions.ts';
import type { Durable } from '#store/durable.ts';
import type { Host } from '../drive.ts';
import { Login } from '../login.ts';
import { Refusals } from '../refusals.ts';
import type { Site } from '../site.ts';
import type { Pop3Listener } from './listener.ts';
import type { LockHolder } from './locks.ts';
import type { StoredMaildrop } from './maildrop.ts';
import { loadMaildrop } from './maildrop.ts';

/** What a POP3 session needs of the site. */
export type Pop3Site = Pick<Site, 'clock' | 'random' | 'log' | 'metrics' | 'store' | 'logins'>;

const NONCE_OCTETS = 18;
const MAX_MESSAGES = 1_000_000;
/** UID ranges in one write: a write must stay a short step of a shared transaction. */
const RANGES_AT_ONCE = 1_000;

export class Pop3Session implements Host<Pop3Question, Pop3Answer, Pop3Fact>, LockHolder {
  readonly #site: Pop3Site;
  readonly #listener: Pop3Listener;
  readonly #connection: Connection;
  readonly #session: SessionId;
  readonly #login: Login;
  readonly #refusals: Refusals;
  readonly #closed: () => void;
  #account: AccountId | undefined;
  #maildrop: StoredMaildrop | undefined;
  #activeMs: number;

  constructor(
    site: Pop3Site,
    listener: Pop3Listener,
    connection: Connection,
    session: SessionId,
    closed: () => void,
  ) {
    this.#site = site;
    this.#listener = listener;
    this.#connection = connection;
    this.#session = session;
    const client = connection.remote.address;
    const about = { listener: listener.name, client };
    this.#refusals = new Refusals({ site, session, client: () => about });
    this.#login = new Login(site, { session, service: listener.name, client }, this.#refusals);
    this.#closed = closed;
    this.#activeMs = site.clock.elapsed();
  }

  answer(question: Pop3Question): Awaitable<Pop3Answer> {
    this.#active();
    switch (question.kind) {
      case 'nonce':
        return { kind: 'nonce', bytes: this.#site.random.bytes(NONCE_OCTETS) };
      case 'sasl':
        return this.#login.answer(question.question);
      case 'open':
        return this.#open(question.who.account);
      case 'octets':
        return this.#octets(question);
      case 'remove':
        return this.#remove(question.indexes);
    }
  }

  tell(fact: Pop3Fact): void {
    const { log, metrics } = this.#site;
    switch (fact.kind) {
      case 'authenticated':
        this.#login.authenticated(fact.who);
        break;
      case 'login-failed':
        this.#login.failed(fact);
        break;
      case 'command':
        this.#active();
        metrics.count('pop3_commands_total', { command: fact.verb });
        break;
      case 'violation':
        log.event('info', 'violation', { session: this.#session, what: fact.what });
        metrics.count('pop3_violations_total', { what: fact.what });
        break;
    }
  }

  closed(): void {
    this.#release();
    this.#maildrop = undefined;
    this.#refusals.write();
    this.#closed();
  }

  idleMs(): number {
    return this.#site.clock.elapsed() - this.#activeMs;
  }

  evict(): void {
    this.#event('pop3-evicted', {});
    this.#connection.destroy();
  }

  async #open(account: AccountId): Promise<Pop3Answer> {
    if (!this.#listener.locks.acquire(account, this)) return { kind: 'in-use' };
    this.#account = account;
    try {
      const max = this.#listener.maxMessages ?? MAX_MESSAGES;
      this.#maildrop = await loadMaildrop(this.#site.store.mail, account, max);
    } catch (failure) {
      this.#release();
      throw failure;
    }
    // The client may have left while its mail was listed; `closed` released the lock then.
    return { kind: 'opened', maildrop: this.#maildrop };
  }

  #octets(question: Pop3Question & { kind: 'octets' }): Awaitable<Pop3Answer> {
    const { index, from, lengthBytes } = question;
    invariant(this.#maildrop !== undefined, 'the maildrop is open');
    const content = this.#maildrop.content(index);
    const octets = this.#site.store.mail.octets(content, from, lengthBytes);
    if (!(octets instanceof Promise)) return { kind: 'octets', bytes: octets };
    return octets.then((bytes) => ({ kind: 'octets', bytes }));
  }

  /** RFC 1939 6: some or all of them, and nothing else. */
  async #remove(indexes: readonly number[]): Promise<Pop3Answer> {
    invariant(this.#maildrop !== undefined, 'the maildrop is open');
    const { mailbox } = this.#maildrop;
    const ranges = this.#maildrop.ranges(indexes);
    const nowMs = this.#site.clock.now();
    let durable: Durable | undefined;
    for (let from = 0; from < ranges.length; from += RANGES_AT_ONCE) {
      const uids = ranges.slice(from, from + RANGES_AT_ONCE);
      const input = { mailbox, uids, onlyDeleted: false, nowMs };
      ({ durable } = await this.#site.store.write('expunge', input));
    }
    invariant(durable !== undefined, 'there is something to remove');
    this.#event('pop3-removed', { messages: indexes.length });
    return { kind: 'removed', durable };
  }

  #release(): void {
    if (this.#account !== undefined) this.#listener.locks.release(this.#account, this);
    this.#account = undefined;
  }

  #active(): void {
    this.#activeMs = this.#site.clock.elapsed();
  }

  #event(name: string, fields: Record<string, string | number | undefined>) {
    const client = this.#connection.remote.address;
    const common = { session: this.#session, service: this.#listener.name, client };
    this.#site.log.event('info', name, { ...common, ...fields });
  }
}
