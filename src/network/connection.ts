/** One TCP stream as a Connection: callbacks in, octets out, TLS put over it when asked. */

import type { Socket } from 'node:net';
import { NO_BYTES } from '#base/bytes.ts';
import { Failure, invariant } from '#base/failure.ts';
import type { Secure } from '#base/secure.ts';
import type { Connection, Endpoint, Receiver, Timer, TlsOptions } from '#base/world.ts';
import { systemClock } from './clock.ts';
import { streamFailure } from './failures.ts';
import { handshakeAsClient } from './tls/client.ts';
import { handshakeAsServer } from './tls/server.ts';
import type { Secured } from './tls/facts.ts';
import type { Turn } from './turn.ts';

/** So few octets wait for the end of the turn: more of each connection would take room. */
const SMALL_BYTES = 16_384;

/** What is known of the stream before the first octet. */
export interface StreamFacts {
  readonly remote: Endpoint;
  readonly local: Endpoint;
  /** How long `end` waits for the peer to take what is queued and to close its side. */
  readonly lingerMs: number;
  /** Shared with the other connections of the network. */
  readonly turn: Turn;
}

/**
 * A Connection over a socket that was made paused, with `allowHalfOpen`: the peer's end is told
 * to the receiver, who may still answer.
 */
export class SocketConnection implements Connection {
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly #lingerMs: number;
  readonly #turn: Turn;
  /** Came in this turn, and is handed on at its end, or before whatever comes next. */
  #arrived: Uint8Array | undefined;
  #endCame = false;
  #socket: Socket;
  #receiver: Receiver | undefined;
  #secure: Secure | undefined;
  #failure: Failure | undefined;
  #paused = false;
  #shaking = false;
  #ending = false;
  #finished = false;
  #closed = false;
  #linger: Timer | undefined;

  constructor(socket: Socket, { remote, local, lingerMs, turn }: StreamFacts) {
    this.remote = remote;
    this.local = local;
    this.#lingerMs = lingerMs;
    this.#turn = turn;
    this.#socket = socket;
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
  }

  get secure(): Secure | undefined {
    return this.#secure;
  }

  open(receiver: Receiver): void {
    const first = this.#receiver === undefined;
    this.#receiver = receiver;
    if (!first) return;
    if (this.#closed) queueMicrotask(() => this.#receiver?.closed(this.#failure));
    else if (!this.#shaking) this.#listen();
  }

  write(bytes: Uint8Array): boolean {
    invariant(!this.#shaking, 'nothing is written during a TLS handshake');
    // Octets for a stream that is gone are dropped: `closed` says so, and nobody waits in vain.
    if (this.#closed || this.#ending || this.#finished || this.#socket.destroyed) return true;
    return this.#socket.write(bytes);
  }

  pause(): void {
    this.#paused = true;
    if (!this.#shaking && !this.#ending) this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#arrived !== undefined || this.#endCame) this.#turn.add(this.#handOn);
    if (!this.#shaking && this.#receiver !== undefined) this.#socket.resume();
  }

  async startTls(options: TlsOptions): Promise<Secure> {
    invariant(this.#secure === undefined && !this.#shaking, 'TLS starts once on a connection');
    const clear = this.#socket;
    this.#shaking = true;
    // The listeners go before the first octet of the handshake comes: it is not for the receiver.
    this.#unlisten(clear);
    const arrived = this.#arrived;
    this.#arrived = undefined;
    clear.pause();
    const awaited = clear.writableNeedDrain;
    try {
      await this.#written(clear);
      readAway(clear, options, arrived);
      const secured = await this.#handshake(clear, options);
      this.#secured(clear, secured);
      // Whoever was told to wait before the handshake waits for this.
      if (awaited) this.#receiver?.drained();
      return secured.secure;
    } catch (thrown) {
      const failure = Failure.from(thrown);
      this.#failure ??= failure;
      this.#shaking = false;
      clear.destroy();
      throw failure;
    }
  }

  finish(): void {
    if (this.#ending || this.#closed || this.#shaking) return;
    this.#finished = true;
    this.#socket.end();
  }

  end(parted = false): void {
    if (this.#ending || this.#closed) return;
    this.#ending = true;
    // A stream under TLS is ended by an alert of its own (RFC 8446 6.1).
    const isSent = this.#secure === undefined && this.#socket.writableLength === 0;
    if (this.#shaking || (parted && isSent)) {
      this.#socket.destroy();
      return;
    }
    this.#socket.end();
    // What still comes in is read away, so that closing does not reset the stream and take the
    // last reply with it; a peer that neither reads nor closes is cut off.
    if (this.#receiver === undefined) this.#socket.on('data', dropped);
    this.#socket.resume();
    this.#linger = systemClock.after(this.#lingerMs, () => this.#socket.destroy());
  }

  destroy(): void {
    // Whoever closes now hears no more of what came before.
    this.#forget();
    this.#socket.destroy();
  }

  #handshake(clear: Socket, options: TlsOptions): Promise<Secured> {
    return options.side === 'server'
      ? handshakeAsServer(clear, options)
      : handshakeAsClient(clear, options);
  }

  #secured(clear: Socket, secured: Secured): void {
    this.#shaking = false;
    this.#secure = secured.secure;
    clear.off('close', this.#onClose);
    this.#socket = secured.socket;
    secured.socket.on('error', this.#onError);
    secured.socket.on('close', this.#onClose);
    if (secured.socket.destroyed) throw this.#failure ?? gone();
    if (this.#receiver !== undefined) this.#listen();
  }

  /** Resolves when the system has taken everything; in order, so TLS cannot overtake it. */
  async #written(socket: Socket): Promise<void> {
    if (socket.destroyed) throw this.#failure ?? gone();
    if (socket.writableLength === 0) return;
    await new Promise<void>((resolve, reject) => {
      socket.write(NO_BYTES, (error) => (error ? reject(this.#failure ?? gone()) : resolve()));
    });
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('drain', this.#onDrain);
    if (this.#paused) socket.pause();
    else socket.resume();
  }

  #unlisten(socket: Socket): void {
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('drain', this.#onDrain);
  }

  readonly #onData = (bytes: Uint8Array): void => {
    this.#handOn();
    if (this.#paused) this.#arrived = bytes;
    else if (bytes.length < SMALL_BYTES) {
      this.#arrived = bytes;
      this.#turn.add(this.#handOn);
    } else if (!this.#ending) this.#receiver?.received(bytes);
  };

  /** What came, then the end, in this order and to nobody who pauses. */
  readonly #handOn = (): void => {
    const bytes = this.#arrived;
    if (bytes !== undefined && !this.#paused) {
      this.#arrived = undefined;
      if (!this.#ending) this.#receiver?.received(bytes);
    }
    if (!this.#endCame || this.#paused) return;
    this.#endCame = false;
    if (!this.#ending) this.#receiver?.ended();
  };

  readonly #onEnd = (): void => {
    this.#endCame = true;
    this.#handOn();
  };

  #forget(): void {
    this.#arrived = undefined;
    this.#endCame = false;
  }

  readonly #onDrain = (): void => {
    if (!this.#ending) this.#receiver?.drained();
  };

  readonly #onError = (error: Error): void => {
    this.#failure ??= streamFailure(error);
  };

  readonly #onClose = (): void => {
    if (this.#closed) return;
    this.#handOn();
    this.#forget();
    this.#closed = true;
    this.#linger?.cancel();
    this.#receiver?.closed(this.#failure);
  };
}

/**
 * What was sent in clear before the handshake is gone, whoever injected it (CVE-2011-0411);
 * unless it is the handshake itself, of which the beginning was read already.
 */
function readAway(clear: Socket, options: TlsOptions, arrived = NO_BYTES): void {
  const begun = options.side === 'server' ? options.received : undefined;
  if (begun === undefined) while (clear.read() !== null);
  else for (const bytes of [arrived, begun]) if (bytes.length > 0) clear.unshift(bytes);
}

function gone(): Failure {
  return Failure.temporary('connection-reset', 'the connection is closed');
}

function dropped(): void {
  // Read away on purpose.
}
