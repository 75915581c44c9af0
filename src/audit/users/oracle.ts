/** An oracle: one way of asking a server about names, and a session that asks. */

import type { Clock, Random } from '#base/world.ts';
import type { Dialled } from '../wire/dial.ts';
import type { Exchange } from '../wire/exchange.ts';
import type { Answer } from './signature.ts';

/** What asking needs of the world; `dial` brings TLS where it is implicit. */
export interface Asking {
  readonly clock: Clock;
  readonly random: Random;
  dial(): Promise<Dialled>;
  /** Our name in EHLO. */
  readonly heloName: string;
  /** For SNI. */
  readonly serverName: string;
  /** The domain behind the names, where an oracle needs one. */
  readonly domain: string;
  readonly replyMs: number;
  /** Nothing is taken in clear (530): asked under TLS. */
  readonly underTls?: boolean;
}

export interface Oracle {
  readonly name: 'vrfy' | 'expn' | 'rcpt' | 'auth' | 'imap' | 'pop3';
  /** What people call a name found this way. */
  readonly means: string;
  /** A wrong password is sent for each name: fewer names, no postmaster. */
  readonly logsIn: boolean;
  open(asking: Asking): Promise<Opened>;
}

export type Opened =
  | { readonly kind: 'session'; readonly session: OracleSession }
  /** The server does not do this at all: that is an answer. */
  | { readonly kind: 'unsupported'; readonly why: string; readonly exchange: Exchange }
  /** Not now, or not from here. */
  | { readonly kind: 'failed'; readonly why: string; readonly exchange: Exchange };

export interface OracleSession {
  /** Whether several names go in one write. */
  readonly pipelined: boolean;
  /**
   * Asks; fewer answers than names when the server ended the session or reached a limit. `last`:
   * nothing more is asked here, so the farewell may go along with the questions.
   */
  ask(names: readonly string[], last?: boolean): Promise<Asked>;
  /** Resolves when the server has let go, or soon. */
  close(): Promise<void>;
  readonly exchange: Exchange;
}

export interface Asked {
  readonly answers: readonly Answer[];
  /** Why not all: the server's limit, or a lost connection, in its words. */
  readonly stopped: string | undefined;
  /** The first refusal came so late that the rest is better asked elsewhere; nothing is wrong. */
  readonly heldBack?: boolean;
  /** The usual way of asking was taken at once: what follows it in one write is heard too. */
  readonly smooth?: boolean;
}
