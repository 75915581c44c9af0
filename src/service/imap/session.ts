/** The host of one IMAP session: logins, the account's access to the store, facts for the log. */

import type { Awaitable, SessionId } from '#base/brand.ts';
import type { Connection } from '#base/world.ts';
import type { ImapAnswer, ImapFact, ImapQuestion } from '#protocol/imap/questions.ts';
import type { Authenticated } from '#protocol/sasl/authenticated.ts';
import type { Host } from '../drive.ts';
import { Login } from '../login.ts';
import { Refusals } from '../refusals.ts';
import { Turn } from '../turn.ts';
import { AccountAccess } from './access.ts';
import type { ImapListener, ImapSite } from './listener.ts';

const NONCE_BYTES = 24;

export class ImapSession implements Host<ImapQuestion, ImapAnswer, ImapFact> {
  /** Called when the watched mailbox changed. */
  news: () => void = () => undefined;
  readonly #site: ImapSite;
  readonly #common: { readonly session: SessionId; readonly client: string };
  readonly #login: Login;
  readonly #refusals: Refusals;
  readonly #closed: () => void;
  #access: AccountAccess | undefined;
  readonly #turn: Turn;

  constructor(
    site: ImapSite,
    listener: ImapListener,
    connection: Connection,
    session: SessionId,
    closed: () => void,
  ) {
    this.#site = site;
    this.#turn = new Turn(site.clock);
    const client = connection.remote.address;
    this.#common = { session, client };
    const about = { listener: listener.name, client };
    this.#refusals = new Refusals({ site, session, client: () => about });
    this.#login = new Login(site, { session, service: listener.name, client }, this.#refusals);
    this.#closed = closed;
  }

  answer(question: ImapQuestion): Awaitable<ImapAnswer> {
    switch (question.kind) {
      case 'nonce':
        return { kind: 'nonce', bytes: this.#site.random.bytes(NONCE_BYTES) };
      case 'sasl':
        return this.#login.answer(question.question);
      case 'store': {
        const value = question.run(this.#accessOf(question.who));
        if (value instanceof Promise) return value.then(stored);
        return this.#turn.inTime(stored(value));
      }
    }
  }

  tell(fact: ImapFact): void {
    const { log, metrics } = this.#site;
    switch (fact.kind) {
      case 'authenticated':
        this.#login.authenticated(fact.who);
        break;
      case 'login-failed':
        this.#login.failed(fact);
        break;
      case 'completed':
        metrics.count('imap_commands_total', { command: fact.command, status: fact.status });
        break;
      case 'client':
        log.event('debug', 'imap-client', {
          ...this.#common,
          fields: Object.fromEntries(fact.fields),
        });
        break;
      case 'violation':
        log.event('info', 'imap-violation', { ...this.#common, what: fact.what });
        metrics.count('imap_violations_total', { what: fact.what });
        break;
    }
  }

  closed(): void {
    this.#access?.close();
    this.#refusals.write();
    this.#closed();
  }

  /** One login a session: the first one that is shown is the only one. */
  #accessOf(who: Authenticated): AccountAccess {
    this.#access ??= new AccountAccess(this.#site, who.account, () => this.news());
    return this.#access;
  }
}

function stored(value: unknown): ImapAnswer {
  return { kind: 'stored', value };
}
