/** What the server knows about a session: the host reads it, commands change it. */

import type { Address, ReversePath } from '#base/address.ts';
import type { Secure } from '#base/secure.ts';
import type { Authenticated } from '../../sasl/authenticated.ts';
import type { MailParameters, RcptParameters } from '../parameters.ts';
import { TextCheck } from './content.ts';
import type { SmtpMode, SmtpSettings } from './options.ts';
import type { SmtpFact } from './questions.ts';

/** `start`: no HELO yet; `ready`: MAIL may come; `chunks`: BDAT has begun. */
export type Phase = 'start' | 'ready' | 'mail' | 'rcpt' | 'chunks';

export interface SmtpRecipient {
  readonly address: Address;
  readonly parameters: RcptParameters;
}

/** A mail transaction: from MAIL to the reply after the content. */
export interface SmtpTransaction {
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
  /** Accepted ones, in order. */
  readonly recipients: readonly SmtpRecipient[];
  /** Content so far. */
  readonly octets: number;
}

/** The host's view. */
export interface SmtpSession {
  readonly mode: SmtpMode;
  /** The name the client gave, undefined before HELO and after STARTTLS. */
  readonly helo: string | undefined;
  /** EHLO or LHLO, not HELO. */
  readonly extended: boolean;
  readonly secure: Secure | undefined;
  readonly authenticated: Authenticated | undefined;
  readonly transaction: SmtpTransaction | undefined;
}

/** A transaction as commands change it. */
export class Transaction implements SmtpTransaction {
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
  readonly recipients: SmtpRecipient[] = [];
  refusedRecipients = 0;
  octets = 0;
  /** Line ends across BDAT chunks; undefined for binary content. */
  readonly check: TextCheck | undefined;

  constructor(reversePath: ReversePath, parameters: MailParameters, contentLineBytes: number) {
    this.reversePath = reversePath;
    this.parameters = parameters;
    this.check = parameters.body === 'binarymime' ? undefined : new TextCheck(contentLineBytes);
  }
}

export class SmtpState implements SmtpSession {
  readonly settings: SmtpSettings;
  phase: Phase = 'start';
  helo: string | undefined;
  extended = false;
  secure: Secure | undefined;
  authenticated: Authenticated | undefined;
  transaction: Transaction | undefined;
  transactions = 0;
  failedLogins = 0;
  readonly #tell: (fact: SmtpFact) => void;

  constructor(settings: SmtpSettings, secure: Secure | undefined, tell: (fact: SmtpFact) => void) {
    this.settings = settings;
    this.secure = secure;
    this.#tell = tell;
  }

  get mode(): SmtpMode {
    return this.settings.mode;
  }

  tell(fact: SmtpFact): void {
    this.#tell(fact);
  }

  greet(name: string, extended: boolean): void {
    this.drop();
    this.helo = name;
    this.extended = extended;
    this.phase = 'ready';
  }

  begin(transaction: Transaction): void {
    this.transaction = transaction;
    this.transactions += 1;
    this.phase = 'mail';
  }

  /** The transaction came to its end with a reply from the host: nothing to tell. */
  finish(): void {
    this.transaction = undefined;
    this.phase = this.helo === undefined ? 'start' : 'ready';
  }

  /** The transaction ends without one. */
  drop(): void {
    if (this.transaction !== undefined) this.#tell({ kind: 'transaction-dropped' });
    this.finish();
  }

  /** After STARTTLS nothing said before counts (RFC 3207 4.2). */
  restart(secure: Secure): void {
    this.drop();
    this.helo = undefined;
    this.extended = false;
    this.authenticated = undefined;
    this.secure = secure;
    this.phase = 'start';
  }
}
