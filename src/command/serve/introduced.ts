/** A connection that a proxy made for a client: the client's ends, and what came with the header. */

import { NO_BYTES } from '#base/bytes.ts';
import type { Secure } from '#base/secure.ts';
import type { Connection, Endpoint, Receiver, TlsOptions } from '#base/world.ts';

/** Passes everything on, but says who the client is, and gives `rest` to the first receiver. */
export class IntroducedConnection implements Connection {
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly #connection: Connection;
  #rest: Uint8Array;
  #paused = false;
  #receiver: Receiver | undefined;

  /** `connection` is paused, with a receiver that expects no more octets. */
  constructor(
    connection: Connection,
    source: Endpoint | undefined,
    destination: Endpoint | undefined,
    rest: Uint8Array,
  ) {
    this.#connection = connection;
    this.remote = source ?? connection.remote;
    this.local = destination ?? connection.local;
    this.#rest = rest;
  }

  get secure(): Secure | undefined {
    return this.#connection.secure;
  }

  /** What came with the header comes first, in a later turn, as octets from a socket do. */
  open(receiver: Receiver): void {
    const first = this.#receiver === undefined;
    this.#receiver = receiver;
    this.#connection.open(receiver);
    if (first) queueMicrotask(() => this.#flow());
  }

  write(bytes: Uint8Array): boolean {
    return this.#connection.write(bytes);
  }

  pause(): void {
    this.#paused = true;
    this.#connection.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#receiver !== undefined) queueMicrotask(() => this.#flow());
  }

  startTls(options: TlsOptions): Promise<Secure> {
    const rest = this.#rest;
    this.#rest = NO_BYTES;
    // In clear after STARTTLS was asked for: injected (CVE-2011-0411), dropped like the rest.
    if (this.#receiver !== undefined || options.side === 'client') {
      return this.#connection.startTls(options);
    }
    // TLS from the start: what came with the header is the beginning of the handshake.
    return this.#connection.startTls({ ...options, received: rest });
  }

  end(parted?: boolean): void {
    this.#connection.end(parted);
  }

  destroy(): void {
    this.#connection.destroy();
  }

  #flow(): void {
    if (this.#paused) return;
    const rest = this.#rest;
    this.#rest = NO_BYTES;
    if (rest.length > 0) this.#receiver?.received(rest);
    // The receiver may have asked for a pause meanwhile.
    if (!this.#paused) this.#connection.resume();
  }
}
