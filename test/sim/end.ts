/** One end of a simulated stream: the Connection that production code holds in its hands. */

import { Failure, invariant } from '#base/failure.ts';
import { Secure } from '#base/secure.ts';
import type { Connection, Endpoint, Receiver, Timer, TlsOptions } from '#base/world.ts';
import type { Item, Pair, Side } from './pair.ts';
import type { Owner } from './timeline.ts';

/** Octets under way or unread before `write` asks to wait, and when it is told to go on. */
const HIGH_BYTES = 65_536;
const LOW_BYTES = 16_384;
const LINGER_MS = 10_000;

interface Handshake {
  readonly options: TlsOptions;
  readonly resolve: (secure: Secure) => void;
  readonly reject: (failure: Failure) => void;
  readonly timer: Timer;
}

/** Behaves as SocketConnection of src/network does, with TLS as an agreement instead of ciphers. */
export class End implements Connection {
  readonly owner: Owner;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  secure: Secure | undefined;
  readonly #pair: Pair;
  readonly #side: Side;
  #receiver: Receiver | undefined;
  #waiting: Item[] = [];
  #paused = false;
  #ended = false;
  #peerEnded = false;
  #closed = false;
  #failure: Failure | undefined;
  #handshake: Handshake | undefined;
  #flowing = false;
  /** Sent and not yet read by the peer. */
  #sentBytes = 0;
  #full = false;

  constructor(pair: Pair, side: Side, owner: Owner, local: Endpoint, remote: Endpoint) {
    this.#pair = pair;
    this.#side = side;
    this.owner = owner;
    this.local = local;
    this.remote = remote;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  open(receiver: Receiver): void {
    const first = this.#receiver === undefined;
    this.#receiver = receiver;
    if (!first) return;
    if (this.#closed) this.#later('closed', () => this.#receiver?.closed(this.#failure));
    else this.#later('opened', () => this.#flow());
  }

  write(bytes: Uint8Array): boolean {
    invariant(this.#handshake === undefined, 'nothing is written during a TLS handshake');
    if (this.#closed || this.#ended) return true;
    this.#sentBytes += bytes.length;
    this.#pair.send(this.#side, { kind: 'octets', bytes });
    if (this.#sentBytes > HIGH_BYTES) this.#full = true;
    return !this.#full;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#waiting.length > 0) this.#later('resumed', () => this.#flow());
  }

  startTls(options: TlsOptions): Promise<Secure> {
    invariant(this.secure === undefined && this.#handshake === undefined, 'TLS starts once');
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(this.#failure ?? gone());
        return;
      }
      // What was sent in clear before the handshake is not for the receiver (CVE-2011-0411).
      this.#waiting = this.#waiting.filter(({ kind }) => kind !== 'octets');
      const timer = this.#timeline.at(options.handshakeMs, this.owner, 'tls-late', () =>
        this.#noTls('tls-timeout'),
      );
      this.#handshake = { options, resolve, reject, timer };
      this.#pair.send(this.#side, { kind: 'handshake' });
      this.#flow();
    });
  }

  end(): void {
    if (this.#ended || this.#closed) return;
    this.#ended = true;
    if (this.#handshake !== undefined) {
      this.destroy();
      return;
    }
    this.#pair.send(this.#side, { kind: 'fin' });
    this.#paused = false;
    if (this.#peerEnded) this.#close(undefined);
    else {
      this.#timeline.at(LINGER_MS, this.owner, 'linger', () => this.destroy());
      this.#later('ending', () => this.#flow());
    }
  }

  destroy(): void {
    if (this.#closed) return;
    // A peer learns it by a reset, or reads the end first.
    const kind = this.#pair.around.chance.odds(0.5) ? 'reset' : 'fin';
    if (!(kind === 'fin' && this.#ended)) this.#pair.send(this.#side, { kind });
    this.#close(undefined);
  }

  /** The machine is gone, and with it whoever would have to be told. */
  vanish(): void {
    this.#closed = true;
    this.#waiting = [];
  }

  /** Called by the pair: something has come. */
  arrive(item: Item): void {
    if (this.#closed) {
      if (item.kind === 'octets') this.#pair.send(this.#side, { kind: 'reset' });
      return;
    }
    if (item.kind === 'reset') {
      this.#noTls('connection-reset');
      this.#close(Failure.temporary('connection-reset', 'the connection was reset'));
      return;
    }
    this.#waiting.push(item);
    this.#flow();
  }

  /** The peer has read so many of our octets. */
  acknowledged(bytes: number): void {
    this.#sentBytes -= bytes;
    if (!this.#full || this.#sentBytes > LOW_BYTES || this.#closed) return;
    this.#full = false;
    this.#timeline.at(1, this.owner, 'drained', () => {
      if (!this.#closed && !this.#ended) this.#receiver?.drained();
    });
  }

  get #timeline(): Pair['around']['timeline'] {
    return this.#pair.around.timeline;
  }

  #later(what: string, task: () => void): void {
    this.#timeline.at(0, this.owner, what, task);
  }

  #flow(): void {
    if (this.#flowing) return;
    this.#flowing = true;
    try {
      while (!this.#closed && this.#mayRead()) {
        const item = this.#waiting.shift();
        if (item === undefined) break;
        this.#take(item);
      }
    } finally {
      this.#flowing = false;
    }
  }

  #mayRead(): boolean {
    return this.#handshake !== undefined || (this.#receiver !== undefined && !this.#paused);
  }

  #take(item: Item): void {
    if (this.#handshake !== undefined) {
      if (item.kind === 'handshake' && !this.#pair.tlsFails) this.#secured();
      else this.#noTls('tls-failed');
      return;
    }
    if (item.kind === 'fin') {
      this.#peerEnded = true;
      if (this.#ended) this.#close(undefined);
      else this.#receiver?.ended();
      return;
    }
    // Ciphers that nobody expected are octets like any others.
    const bytes = item.kind === 'octets' ? item.bytes : Uint8Array.of(0x16, 3, 1, 0, 1, 1);
    if (item.kind === 'octets') this.#peer.acknowledged(bytes.length);
    if (this.#ended) return;
    this.#pair.read(this.#side, bytes);
    this.#receiver?.received(bytes);
  }

  get #peer(): End {
    return this.#pair.ends[this.#side === 0 ? 1 : 0];
  }

  #secured(): void {
    const handshake = this.#handshake;
    if (handshake === undefined) return;
    this.#handshake = undefined;
    handshake.timer.cancel();
    const { options } = handshake;
    this.secure = Secure.established({
      protocol: 'TLSv1.3',
      cipher: 'TLS_SIMULATED',
      serverName: options.side === 'client' ? options.serverName : undefined,
      peer:
        options.side === 'client'
          ? { kind: 'unverified', reason: 'simulated' }
          : { kind: 'not-asked' },
      channelBinding: { exporter: undefined, serverEndPoint: undefined },
    });
    handshake.resolve(this.secure);
    this.#later('secured', () => this.#flow());
  }

  #noTls(code: string): void {
    const handshake = this.#handshake;
    if (handshake === undefined) return;
    this.#handshake = undefined;
    handshake.timer.cancel();
    handshake.reject(Failure.temporary(code, 'the handshake failed'));
    this.destroy();
  }

  #close(failure: Failure | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#failure = failure;
    this.#waiting = [];
    this.#noTls('connection-closed');
    this.#later('closed', () => this.#receiver?.closed(failure));
  }
}

function gone(): Failure {
  return Failure.temporary('connection-reset', 'the connection is closed');
}
