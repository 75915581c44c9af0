/** For tests: a connection in memory, and a clock that goes when it is told to. */

import { latin1, utf8 } from '#base/bytes.ts';
import type { Secure } from '#base/secure.ts';
import type { Clock, Connection, Endpoint, Receiver, Timer, TlsOptions } from '#base/world.ts';

/** The server's end of a connection; the test plays the peer. */
export class FakeConnection implements Connection {
  readonly remote: Endpoint;
  readonly local: Endpoint = { address: '127.0.0.1', port: 25 };
  secure: Secure | undefined;
  /** Everything that was written, and `[end]`, `[destroy]`, `[tls]`. */
  said = '';
  paused = false;
  /** What `startTls` returns; as it stands, a handshake that never ends. */
  handshake: Promise<Secure> = new Promise(() => undefined);
  #receiver: Receiver | undefined;
  #waiting: Uint8Array[] = [];

  constructor(address = '192.0.2.1') {
    this.remote = { address, port: 40_000 };
  }

  /** The peer sends. */
  send(text: string): void {
    this.#waiting.push(utf8(text));
    this.#flow();
  }

  /** The peer is gone. */
  hangUp(): void {
    this.#receiver?.closed();
  }

  open(receiver: Receiver): void {
    this.#receiver = receiver;
    this.#flow();
  }

  write(bytes: Uint8Array): boolean {
    this.said += latin1(bytes);
    return true;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#flow();
  }

  async startTls(options: TlsOptions): Promise<Secure> {
    const begun = options.side === 'server' ? options.received : undefined;
    this.said += begun === undefined ? '[tls]' : `[tls after ${latin1(begun)}]`;
    this.secure = await this.handshake;
    return this.secure;
  }

  end(): void {
    this.said += '[end]';
  }

  destroy(): void {
    this.said += '[destroy]';
  }

  #flow(): void {
    while (!this.paused && this.#receiver !== undefined) {
      const bytes = this.#waiting.shift();
      if (bytes === undefined) return;
      this.#receiver.received(bytes);
    }
  }
}

/** A clock whose timers fire by hand. */
export class FakeClock implements Clock {
  #elapsed = 0;
  readonly #timers = new Set<{ readonly at: number; readonly task: () => void }>();

  now(): number {
    return this.#elapsed;
  }

  elapsed(): number {
    return this.#elapsed;
  }

  after(ms: number, task: () => void): Timer {
    const timer = { at: this.#elapsed + ms, task };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** Time passes; what is due happens. */
  pass(ms: number): void {
    this.#elapsed += ms;
    const due = [...this.#timers].filter(({ at }) => at <= this.#elapsed);
    for (const timer of due) if (this.#timers.delete(timer)) timer.task();
  }
}

/** Lets promises that are settled go on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}
