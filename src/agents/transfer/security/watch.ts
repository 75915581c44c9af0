/** One session as it is opened under a protection: what is checked, told of, and counted. */

import type { JsonObject } from '#base/json.ts';
import type { Secure } from '#base/secure.ts';
import type { TlsFailure, TlsSession } from '#trust/tls-rpt/words.ts';
import type { Target } from '../route.ts';
import type { Protection } from './protection.ts';

/** Remembers the first thing that was wrong; counts the session once. */
export class SessionWatch {
  readonly #protection: Protection;
  readonly #target: Target;
  readonly #counted: ((session: TlsSession) => void) | undefined;
  #failure: TlsFailure | undefined;
  #refused = false;
  #opened = false;

  constructor(
    protection: Protection,
    target: Target,
    counted: ((session: TlsSession) => void) | undefined,
  ) {
    this.#protection = protection;
    this.#target = target;
    this.#counted = counted;
    this.#failure = protection.trouble;
  }

  /** Whether the peer was turned away for what it is. */
  get refused(): boolean {
    return this.#refused;
  }

  /** What the session asks after the handshake. */
  readonly approve = (secure: Secure): string | undefined => {
    const refused = this.#protection.check?.(secure);
    if (refused !== undefined) {
      this.#refused = true;
      this.#failure = refused;
      return refused.why;
    }
    this.#failure ??= this.#protection.observe?.(secure);
    return undefined;
  };

  /** TLS did not come about. */
  failed(kind: TlsFailure['kind'], why: string): void {
    this.#failure ??= { kind, why };
  }

  /** The session is as it may be. */
  opened(): void {
    this.#opened = this.#protection.mode !== 'never';
  }

  /** Nothing more is tried: tells of the session, unless nobody got as far as to TLS. */
  done(): void {
    if (!this.#opened && this.#failure === undefined) return;
    const { address, host: mx } = this.#target;
    const { policy } = this.#protection;
    this.#counted?.({ policy, failure: this.#failure, mx, address });
  }

  /** For the ledger: the rule, and what it would have refused. */
  get facts(): JsonObject {
    const { because } = this.#protection;
    if (this.#failure === undefined) return { because };
    return { because, [this.#refused ? 'refused' : 'noticed']: this.#failure.why };
  }
}
