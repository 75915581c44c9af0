/** A session with a server, from the greeting to QUIT: capabilities, TLS, login. */

import { Failure, invariant } from '#base/failure.ts';
import type { Secure } from '#base/secure.ts';
import type { Clock, Endpoint, Network } from '#base/world.ts';
import { chooseSaslClient } from '../../sasl/client.ts';
import type { SaslCredentials } from '../../sasl/client-exchange.ts';
import type { Reply } from '../reply.ts';
import { NO_CAPABILITIES, parseCapabilities, type Capabilities } from './capabilities.ts';
import { isHeloName } from './commands.ts';
import { Dialogue, type ClientTls, type DialogueOptions } from './dialogue.ts';
import { login } from './login.ts';
import { SMTP_TIMEOUTS, type SmtpTimeouts } from './timeouts.ts';

export interface SessionOptions {
  readonly clock: Clock;
  /** Our name in EHLO: a domain or an address literal. */
  readonly heloName: string;
  readonly lmtp?: boolean;
  readonly tls: SessionTls;
  readonly credentials?: SaslCredentials;
  /** Narrows the SASL mechanisms. */
  readonly mechanisms?: readonly string[];
  /** At least 18 fresh octets, for SCRAM; needed with `credentials`. */
  readonly nonce?: Uint8Array;
  readonly timeouts?: Partial<SmtpTimeouts>;
  readonly dialogue?: Omit<DialogueOptions, 'clock'>;
}

/** `opportunistic`: when it is offered. `require`: or not at all. `implicit`: before all else. */
export type SessionTls =
  | { readonly mode: 'never' }
  | ({
      readonly mode: 'opportunistic' | 'require' | 'implicit';
      /** After the handshake, before anything is said inside: why this peer will not do. */
      readonly approve?: (secure: Secure) => string | undefined;
    } & Omit<ClientTls, 'handshakeMs'>);

/** At which step the server, or we, said no. */
export type OpeningStep = 'greeting' | 'helo' | 'starttls' | 'auth';

export type Opening =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly step: OpeningStep; readonly reply: Reply }
  /** The server lacks what we must have. */
  | { readonly kind: 'unfit'; readonly step: OpeningStep; readonly why: string };

/**
 * One session. Methods throw what `Dialogue` throws; replies that say no are values.
 * Nothing learned in clear is kept after STARTTLS (RFC 3207 4.2).
 */
export class SmtpSession {
  readonly dialogue: Dialogue;
  readonly timeouts: SmtpTimeouts;
  readonly #options: SessionOptions;
  #capabilities: Capabilities = NO_CAPABILITIES;
  #authenticated = false;
  #startTlsRefused: Reply | undefined;
  #step: OpeningStep = 'greeting';

  constructor(dialogue: Dialogue, options: SessionOptions) {
    this.dialogue = dialogue;
    this.#options = options;
    this.timeouts = { ...SMTP_TIMEOUTS, ...options.timeouts };
  }

  /** Connects, with TLS at once when it is implicit; `open` follows. */
  static async connect(
    network: Network,
    where: Endpoint & { readonly timeoutMs: number; readonly source?: string },
    options: SessionOptions,
  ): Promise<SmtpSession> {
    const { clock, tls } = options;
    const handshakeMs = options.timeouts?.handshakeMs ?? SMTP_TIMEOUTS.handshakeMs;
    const implicit = tls.mode === 'implicit' ? { implicit: handshakeOf(tls, handshakeMs) } : {};
    const more = { ...options.dialogue, clock, ...implicit };
    return new SmtpSession(await Dialogue.connect(network, where, more), options);
  }

  get capabilities(): Capabilities {
    return this.#capabilities;
  }

  get lmtp(): boolean {
    return this.#options.lmtp === true;
  }

  get authenticated(): boolean {
    return this.#authenticated;
  }

  /** Where `open` is, or was when it failed; the EHLO inside TLS counts as `starttls`. */
  get step(): OpeningStep {
    return this.#step;
  }

  /** The server's no to STARTTLS, after which an opportunistic session went on in clear. */
  get startTlsRefused(): Reply | undefined {
    return this.#startTlsRefused;
  }

  /** Greeting, EHLO, STARTTLS with a fresh EHLO, AUTH, as the options ask. */
  async open(): Promise<Opening> {
    const unapproved = this.#unapproved();
    if (unapproved !== undefined) return unapproved;
    const { greetingMs } = this.timeouts;
    const greeting = await this.dialogue.reply(greetingMs, 'greeting');
    if (greeting.code !== 220) return refused('greeting', greeting);
    this.#step = 'helo';
    const hello = await this.#hello();
    if (hello.code !== 250) return refused('helo', hello);
    return (await this.#secure()) ?? (await this.#login()) ?? { kind: 'ready' };
  }

  /** RSET; false when the session is no longer good for a transaction. */
  async reset(): Promise<boolean> {
    try {
      const reply = await this.dialogue.command('RSET', this.timeouts.commandMs);
      return reply.code === 250;
    } catch (thrown) {
      if (thrown instanceof Failure) return false;
      throw thrown;
    }
  }

  /** QUIT, its answer awaited for a moment, then closed whatever it was. Never fails. */
  async quit(): Promise<void> {
    try {
      if (this.dialogue.failure === undefined) {
        await this.dialogue.command('QUIT', this.timeouts.quitMs);
      }
    } catch {
      // The peer was quicker: closed is what was wanted.
    }
    this.dialogue.end();
  }

  /** EHLO or LHLO; HELO when the server knows no EHLO (RFC 5321 3.2). */
  async #hello(): Promise<Reply> {
    const { heloName } = this.#options;
    if (!isHeloName(heloName)) {
      throw Failure.permanent('unsafe-command', 'our name for EHLO is no domain name');
    }
    this.#capabilities = NO_CAPABILITIES;
    const verb = this.lmtp ? 'LHLO' : 'EHLO';
    const { commandMs } = this.timeouts;
    const extended = await this.dialogue.command(`${verb} ${heloName}`, commandMs);
    if (extended.code === 250) this.#capabilities = parseCapabilities(extended);
    const unknown = [500, 501, 502, 504, 550].includes(extended.code);
    // Inside TLS the server said EHLO before; HELO would quietly give up what we know.
    if (!unknown || this.lmtp || this.dialogue.secure !== undefined) return extended;
    return this.dialogue.command(`HELO ${heloName}`, commandMs);
  }

  async #secure(): Promise<Opening | undefined> {
    const { tls } = this.#options;
    if (tls.mode === 'never' || tls.mode === 'implicit') return undefined;
    const must = tls.mode === 'require';
    if (!this.#capabilities.keywords.has('STARTTLS')) {
      return must ? unfit('starttls', 'the server does not offer STARTTLS') : undefined;
    }
    this.#step = 'starttls';
    const reply = await this.dialogue.command('STARTTLS', this.timeouts.commandMs);
    if (reply.code !== 220) {
      // A no to STARTTLS says nothing about the message (RFC 3207 4.1).
      this.#startTlsRefused = reply;
      return must || reply.code === 421 ? refused('starttls', reply) : undefined;
    }
    await this.dialogue.startTls(handshakeOf(tls, this.timeouts.handshakeMs));
    const unapproved = this.#unapproved();
    if (unapproved !== undefined) return unapproved;
    const hello = await this.#hello();
    return hello.code === 250 ? undefined : refused('helo', hello);
  }

  /** A peer that is not who it must be hears nothing more from us, not even EHLO. */
  #unapproved(): Opening | undefined {
    const { tls } = this.#options;
    const { secure } = this.dialogue;
    if (tls.mode === 'never' || secure === undefined) return undefined;
    const why = tls.approve?.(secure);
    if (why === undefined) return undefined;
    this.#step = 'starttls';
    this.dialogue.destroy();
    return unfit('starttls', why);
  }

  async #login(): Promise<Opening | undefined> {
    const { credentials, nonce, mechanisms } = this.#options;
    if (credentials === undefined) return undefined;
    invariant(nonce !== undefined, 'a login has a nonce');
    this.#step = 'auth';
    const context = { credentials, nonce, secure: this.dialogue.secure };
    const client = chooseSaslClient(this.#capabilities.mechanisms, context, mechanisms);
    if (client === undefined) {
      const offered = this.#capabilities.mechanisms.join(' ') || 'none';
      const clear = this.dialogue.secure === undefined ? ' without TLS' : '';
      return unfit('auth', `no way to log in${clear} (the server offers: ${offered})`);
    }
    const result = await login(this.dialogue, client, this.timeouts.commandMs);
    if (result.kind === 'aborted') return unfit('auth', result.why);
    if (result.kind === 'rejected') return refused('auth', result.reply);
    this.#authenticated = true;
    return undefined;
  }
}

function handshakeOf(
  { serverName, verify, authorities }: Omit<ClientTls, 'handshakeMs'>,
  handshakeMs: number,
): ClientTls {
  const trusted = authorities === undefined ? {} : { authorities };
  return { serverName, verify, handshakeMs, ...trusted };
}

function refused(step: OpeningStep, reply: Reply): Opening {
  return { kind: 'refused', step, reply };
}

function unfit(step: OpeningStep, why: string): Opening {
  return { kind: 'unfit', step, why };
}
