/** The logins of one session, whatever it speaks: checked, logged, counted, and told to the ledger. */

import type { SessionId } from '#base/brand.ts';
import type { LoginSession } from '#policy/login/logins.ts';
import type { Authenticated } from '#protocol/sasl/authenticated.ts';
import type { SaslAnswer, SaslQuestion } from '#protocol/sasl/mechanism.ts';
import type { Refusals } from './refusals.ts';
import type { Site } from './site.ts';

/** Whose logins these are: for the log. */
export interface LoginClient {
  readonly session: SessionId;
  /** The name of the listener. */
  readonly service: string;
  readonly client: string;
}

export class Login {
  readonly #site: Pick<Site, 'log' | 'logins' | 'metrics'>;
  readonly #client: LoginClient;
  readonly #refusals: Refusals;
  /** Made for the first login: most sessions of port 25 see none. */
  #made: LoginSession | undefined;

  constructor(
    site: Pick<Site, 'log' | 'logins' | 'metrics'>,
    client: LoginClient,
    refusals: Refusals,
  ) {
    this.#site = site;
    this.#client = client;
    this.#refusals = refusals;
  }

  /** Rejects as `LoginSession.answer` does. */
  async answer(
    question: SaslQuestion,
  ): Promise<{ readonly kind: 'sasl'; readonly answer: SaslAnswer }> {
    return { kind: 'sasl', answer: await this.#session().answer(question) };
  }

  authenticated(who: Authenticated): void {
    this.#session().authenticated(who);
    this.#tell('info', 'login', { account: who.address, by: who.mechanism });
    this.#count('ok');
  }

  /** Found in the ledger by the account that it was for, if it was for one that could exist. */
  failed({ mechanism, login }: { readonly mechanism: string; readonly login: string | undefined }) {
    const key = login === undefined ? undefined : this.#session().keyOf(login);
    this.#refusals.add({ rule: 'login', mechanism, login }, key === undefined ? [] : [key]);
    this.#refusals.writeSoon();
    this.#tell('warn', 'login-failed', { login, by: mechanism });
    this.#count('failed');
  }

  #session(): LoginSession {
    return (this.#made ??= this.#site.logins.session(this.#client.client));
  }

  #tell(level: 'info' | 'warn', event: string, fields: Record<string, string | undefined>): void {
    this.#site.log.event(level, event, { ...this.#client, ...fields });
  }

  #count(result: 'ok' | 'failed'): void {
    this.#site.metrics.count('logins_total', { service: this.#client.service, result });
  }
}
