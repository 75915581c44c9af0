/** An attacker's connection: any octets out, any octets in, bounded, and all of it recorded. */

import { fromLatin1, latin1, NO_BYTES } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import type { Secret } from '#base/secret.ts';
import type { Secure, TlsFacts } from '#base/secure.ts';
import type { Clock, Connection, Endpoint, Receiver } from '#base/world.ts';
import type { Exchange, Recorder } from './exchange.ts';
import { Inbox } from './inbox.ts';
import type { WireLimits } from './limits.ts';

/**
 * Why something was not read. `closed`: the server ended the connection (`reset`: rudely);
 * `timeout`: it said nothing, or too slowly; `too-long`: a line beyond the limit; `flood`: more
 * than one connection or one reply may bring. `partial` is what came of it, at most 1,000 octets.
 */
export interface Lost {
  readonly kind: 'closed' | 'reset' | 'timeout' | 'too-long' | 'flood';
  readonly partial: Uint8Array;
}

export interface WireLine {
  readonly kind: 'line';
  readonly octets: Uint8Array;
  readonly end: 'crlf' | 'lf';
  /** When its last octet was there, on the clock's monotonic time. */
  readonly atMs: number;
}

export type TlsResult =
  | { readonly kind: 'secure'; readonly secure: Secure; readonly clear: Uint8Array }
  | { readonly kind: 'tls-failed'; readonly why: string };

export interface WireStart {
  readonly clock: Clock;
  readonly limits: WireLimits;
  readonly target: Endpoint;
  readonly startedMs: number;
  readonly startedElapsedMs: number;
  readonly recorder: Recorder;
  readonly implicitTls: boolean;
}

const PARTIAL_BYTES = 1_000;

/** One open connection; made by `dial`. Nothing here throws for what a server does. */
export class Wire implements Receiver {
  readonly limits: WireLimits;
  readonly clock: Clock;
  readonly #connection: Connection;
  readonly #start: WireStart;
  readonly #inbox = new Inbox();
  #lost: 'closed' | 'reset' | 'flood' | undefined;
  #arrivedMs = 0;
  #totalBytes = 0;
  #paused = false;
  #full = false;
  #wake: (() => void) | undefined;
  #drain: (() => void) | undefined;

  constructor(connection: Connection, start: WireStart) {
    this.#connection = connection;
    this.#start = start;
    this.limits = start.limits;
    this.clock = start.clock;
    connection.open(this);
  }

  get secure(): Secure | undefined {
    return this.#connection.secure;
  }

  get local(): Endpoint {
    return this.#connection.local;
  }

  get target(): Endpoint {
    return this.#start.target;
  }

  /** Whether nothing more will come; what came before is still there to be read. */
  get over(): boolean {
    return this.#lost !== undefined;
  }

  /** Octets that came and were not read. */
  get unreadBytes(): number {
    return this.#inbox.size;
  }

  /** What was said so far, secrets taken out. */
  get exchange(): Exchange {
    const { target, startedMs, recorder, implicitTls } = this.#start;
    const facts = this.secure?.facts;
    const tls =
      facts === undefined
        ? undefined
        : { protocol: facts.protocol, cipher: facts.cipher, peer: peerText(facts) };
    const { omittedTurns } = recorder;
    const source = this.local;
    return { target, source, startedMs, implicitTls, tls, turns: recorder.turns(), omittedTurns };
  }

  /** These octets, and their base64, are shown as `\{name}` in the exchange, both ways. */
  conceal(name: string, secret: Secret<Uint8Array>): void {
    this.#start.recorder.conceal(name, secret);
  }

  /** A line of our own in the exchange. */
  note(text: string): void {
    this.#start.recorder.note(this.#sinceMs(), text);
  }

  /** Sends octets as they are (text: one octet a character); true unless the stream is gone. */
  send(octets: Uint8Array | string): boolean {
    if (this.over) return false;
    const bytes = typeof octets === 'string' ? fromLatin1(octets) : octets;
    this.#start.recorder.client(this.#sinceMs(), bytes);
    if (!this.#connection.write(bytes)) this.#full = true;
    return true;
  }

  /** Sends one line with its CRLF. */
  line(text: string): boolean {
    return this.send(`${text}\r\n`);
  }

  /** Sends pieces as writes of their own, `gapMs` apart; false as soon as the stream is gone. */
  async sendApart(pieces: readonly (Uint8Array | string)[], gapMs: number): Promise<boolean> {
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) await this.pause(gapMs);
      if (!this.send(piece)) return false;
    }
    return true;
  }

  /** Until the server took what was sent, at most `timeoutMs`; false: it did not. */
  async drainedWithin(timeoutMs: number): Promise<boolean> {
    if (!this.#full || this.over) return !this.over;
    await this.#until(timeoutMs, (settle) => (this.#drain = settle));
    return !this.#full && !this.over;
  }

  /** Time passes; what comes meanwhile waits. */
  async pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => void this.clock.after(ms, resolve));
  }

  /** The next line, whole, within `timeoutMs` from now: a trickle does not prolong it. */
  async readLine(timeoutMs: number): Promise<WireLine | Lost> {
    const untilMs = this.clock.elapsed() + timeoutMs;
    for (;;) {
      const line = this.#inbox.line(this.limits.lineBytes);
      this.#unpause();
      if (line === 'too-long') return this.#loss('too-long');
      if (line !== 'more') return { kind: 'line', ...line, atMs: this.#arrivedMs };
      if (this.#lost !== undefined) return this.#loss(this.#lost);
      const leftMs = untilMs - this.clock.elapsed();
      if (leftMs <= 0 || !(await this.#came(leftMs))) return this.#loss('timeout');
    }
  }

  /** The first octets that come within `timeoutMs`, left to be read; fewer when no more come. */
  async peek(count: number, timeoutMs: number): Promise<Uint8Array> {
    const untilMs = this.clock.elapsed() + timeoutMs;
    while (this.#inbox.size < count && !this.over) {
      const leftMs = untilMs - this.clock.elapsed();
      if (leftMs <= 0 || !(await this.#came(leftMs))) break;
    }
    return this.#inbox.peek(count);
  }

  /** Exactly so many octets (a literal). `flood` when it is more than a reply may have. */
  async readOctets(count: number, timeoutMs: number): Promise<Uint8Array | Lost> {
    if (count > this.limits.replyBytes) return this.#loss('flood');
    const untilMs = this.clock.elapsed() + timeoutMs;
    for (;;) {
      const octets = this.#inbox.take(count);
      this.#unpause();
      if (octets !== undefined) return octets;
      if (this.#lost !== undefined) return this.#loss(this.#lost);
      const leftMs = untilMs - this.clock.elapsed();
      if (leftMs <= 0 || !(await this.#came(leftMs))) return this.#loss('timeout');
    }
  }

  /** Listens for `ms` (less when the server closes) and takes all that came, line or not. */
  async listen(ms: number): Promise<Uint8Array> {
    const untilMs = this.clock.elapsed() + ms;
    while (!this.over && this.#inbox.size < this.limits.unreadBytes) {
      const leftMs = untilMs - this.clock.elapsed();
      if (leftMs <= 0 || !(await this.#came(leftMs))) break;
    }
    const octets = this.#inbox.all();
    this.#unpause();
    return octets;
  }

  /**
   * TLS on this stream. `clear`: octets of the server behind its agreement that were not read,
   * dropped. Failing, it is over with this connection.
   */
  async startTls(serverName: string, handshakeMs = 10_000): Promise<TlsResult> {
    if (this.over) return { kind: 'tls-failed', why: 'the connection is closed' };
    const clear = this.#inbox.all();
    if (clear.length > 0) this.note(`${clear.length} unread octets in clear dropped`);
    try {
      const secure = await this.#connection.startTls({
        side: 'client',
        serverName,
        verify: 'opportunistic',
        handshakeMs,
      });
      this.note(tlsText(secure));
      return { kind: 'secure', secure, clear };
    } catch (thrown) {
      const why = Failure.from(thrown).message;
      this.note(`TLS failed: ${why}`);
      this.#end('closed');
      return { kind: 'tls-failed', why };
    }
  }

  /** Half close: we say no more, and go on listening. False where the network cannot. */
  finish(): boolean {
    if (this.over || this.#connection.finish === undefined) return false;
    this.note('we end our side');
    this.#connection.finish();
    return true;
  }

  /** Sends what is queued, then closes. */
  close(): void {
    this.#end('closed');
    this.#connection.end();
  }

  /** Closes now. */
  destroy(): void {
    this.#end('closed');
    this.#connection.destroy();
  }

  received(octets: Uint8Array): void {
    if (this.over) return;
    this.#arrivedMs = this.clock.elapsed();
    this.#totalBytes += octets.length;
    this.#start.recorder.server(this.#sinceMs(), octets);
    this.#inbox.push(octets);
    if (this.#totalBytes > this.limits.totalBytes) {
      this.note(`more than ${this.limits.totalBytes} octets: cut off`);
      this.#end('flood');
      this.#connection.destroy();
    } else if (this.#inbox.size >= this.limits.unreadBytes && !this.#paused) {
      this.#paused = true;
      this.#connection.pause();
    }
    this.#wake?.();
  }

  drained(): void {
    this.#full = false;
    this.#drain?.();
  }

  ended(): void {
    if (!this.over) this.note('the server ended the connection');
    this.#end('closed');
    this.#connection.end();
  }

  closed(failure?: Failure): void {
    if (!this.over) this.note(failure?.message ?? 'the server closed the connection');
    this.#end(failure === undefined ? 'closed' : 'reset');
  }

  #end(how: 'closed' | 'reset' | 'flood'): void {
    this.#lost ??= how;
    this.#wake?.();
    this.#drain?.();
  }

  #sinceMs(): number {
    return this.clock.elapsed() - this.#start.startedElapsedMs;
  }

  #loss(kind: Lost['kind']): Lost {
    const partial = kind === 'closed' && this.#inbox.size === 0 ? NO_BYTES : this.#inbox.all();
    this.#unpause();
    if (kind === 'timeout') this.note('nothing more in time');
    return { kind, partial: partial.slice(0, PARTIAL_BYTES) };
  }

  #unpause(): void {
    if (!this.#paused || this.#inbox.size >= this.limits.unreadBytes / 2) return;
    this.#paused = false;
    this.#connection.resume();
  }

  /** Until something comes or the stream is gone; false when `ms` passed first. */
  #came(ms: number): Promise<boolean> {
    return this.#until(ms, (settle) => (this.#wake = settle));
  }

  #until(ms: number, settling: (settle: (() => void) | undefined) => void): Promise<boolean> {
    return new Promise<boolean>((resolve) => {
      const timer = this.clock.after(ms, () => {
        settling(undefined);
        resolve(false);
      });
      settling(() => {
        timer.cancel();
        settling(undefined);
        resolve(true);
      });
    });
  }
}

/** TLS as it was found, in one line. */
export function tlsText({ facts }: Secure): string {
  return `TLS: ${facts.protocol} ${facts.cipher}, certificate ${peerText(facts)}`;
}

function peerText({ peer }: TlsFacts): string {
  return peer.kind === 'unverified' ? peer.reason : peer.kind;
}

/** Whether a read gave nothing. */
export function isLost<T extends object>(read: T | Lost): read is Lost {
  return 'kind' in read && 'partial' in read;
}

/** What is left of a lost read, for a sentence. */
export function lossText({ kind, partial }: Lost): string {
  const words = { closed: 'closed', reset: 'reset', timeout: 'no answer in time' } as const;
  const word = kind === 'too-long' || kind === 'flood' ? `${kind} answer` : words[kind];
  return partial.length === 0 ? word : `${word} after "${latin1(partial.slice(0, 80))}"`;
}
