/** The network as probes see it: only permitted addresses, only safe recipients, within the budget. */

import { latin1 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import type { Secure } from '#base/secure.ts';
import type { Connection, ConnectOptions, Endpoint, Network } from '#base/world.ts';
import type { Receiver, Timer, TlsOptions } from '#base/world.ts';
import type { Budget } from './budget.ts';
import type { Crowd } from './crowd.ts';
import type { AuditPermit } from './permit.ts';
import type { Recipients } from './recipients.ts';

export interface GuardOptions {
  readonly permit: Pick<AuditPermit, 'covers'>;
  readonly budget: Budget;
  readonly recipients: Recipients;
}

/** Octets of an unfinished line that are kept to judge it whole. */
const LINE_BYTES = 8_192;

/**
 * A Network whose connections cannot be made to anybody else and cannot name anybody else as a
 * recipient: every octet a probe sends passes `write` before TLS covers it. `closeAll` ends what
 * a probe left open. Fails with `not-permitted`, `third-party`, `budget-spent`, all permanent.
 */
export class GuardedNetwork implements Network {
  readonly #network: Network;
  readonly #options: GuardOptions;
  readonly #open = new Set<GuardedConnection>();
  #closed = false;
  #waiting = 0;
  #idleSinceMs: number | undefined;
  #waitedMs = 0;

  constructor(network: Network, options: GuardOptions) {
    this.#network = network;
    this.#options = options;
  }

  listen(): never {
    throw Failure.permanent('not-permitted', 'a probe does not listen');
  }

  async connect(where: ConnectOptions): Promise<Connection> {
    const { permit, budget } = this.#options;
    if (!permit.covers(where.address)) {
      throw Failure.permanent('not-permitted', `${where.address} is not what may be audited`);
    }
    const crowd = budget.crowd(where.address);
    await this.#placed(crowd, budget);
    try {
      if (this.#closed) throw Failure.permanent('not-permitted', 'the probe is over');
      const connection = await this.#network.connect(where);
      const guarded = new GuardedConnection(connection, this.#options, {
        ended: () => {
          this.#open.delete(guarded);
          budget.release(this);
          this.#tellIdle();
        },
        gone: () => crowd.leave(this),
      });
      this.#open.add(guarded);
      this.#tellIdle();
      if (this.#closed) guarded.destroy();
      return guarded;
    } catch (thrown) {
      budget.release(this);
      crowd.leave(this);
      throw thrown;
    }
  }

  /** How long it could do nothing, because there was no place for it beside other probes. */
  get waitedMs(): number {
    const since = this.#idleSinceMs;
    const now = this.#options.budget.clock.elapsed();
    return this.#waitedMs + (since === undefined ? 0 : now - since);
  }

  /** Ends everything, also what is still being connected. */
  closeAll(): void {
    this.#closed = true;
    for (const connection of this.#open) connection.destroy();
  }

  /** Waits for a place at the server, then for one of the run's. */
  async #placed(crowd: Crowd, budget: Budget): Promise<void> {
    this.#waiting += 1;
    this.#tellIdle();
    try {
      await crowd.enter(this);
      await budget.connection(this);
    } catch (thrown) {
      crowd.leave(this);
      throw thrown;
    } finally {
      this.#waiting -= 1;
      this.#tellIdle();
    }
  }

  /** Waiting, and without any connection: that is not its own time. */
  #tellIdle(): void {
    const now = this.#options.budget.clock.elapsed();
    const idle = this.#waiting > 0 && this.#open.size === 0;
    if (idle) this.#idleSinceMs ??= now;
    else if (this.#idleSinceMs !== undefined) {
      this.#waitedMs += now - this.#idleSinceMs;
      this.#idleSinceMs = undefined;
    }
  }
}

/** What becomes of a connection, each told once. */
interface Fate {
  /** We are done with it. */
  readonly ended: () => void;
  /** The server is done with it too, or had time for it: until then it counts it. */
  readonly gone: () => void;
}

/** A server that closes does it within that. */
const CLOSING_MS = 300;

class GuardedConnection implements Connection {
  readonly #inner: Connection;
  readonly #options: GuardOptions;
  readonly #fate: Fate;
  #isOver = false;
  #isGone = false;
  #closing: Timer | undefined;
  #rest = '';
  #transaction: 'mail' | 'rcpt' | undefined;

  constructor(inner: Connection, options: GuardOptions, fate: Fate) {
    this.#inner = inner;
    this.#options = options;
    this.#fate = fate;
  }

  get remote(): Endpoint {
    return this.#inner.remote;
  }

  get local(): Endpoint {
    return this.#inner.local;
  }

  get secure(): Secure | undefined {
    return this.#inner.secure;
  }

  open(receiver: Receiver): void {
    this.#inner.open({
      received: (bytes) => {
        if (this.#options.budget.received(bytes.length)) receiver.received(bytes);
        else this.destroy();
      },
      drained: () => receiver.drained(),
      ended: () => receiver.ended(),
      closed: (failure) => {
        this.#finished();
        this.#left();
        receiver.closed(failure);
      },
    });
  }

  write(bytes: Uint8Array): boolean {
    const { budget } = this.#options;
    try {
      budget.sent(bytes.length);
      this.#judge(latin1(bytes));
    } catch (thrown) {
      this.destroy();
      throw thrown;
    }
    return this.#inner.write(bytes);
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  startTls(options: TlsOptions): Promise<Secure> {
    return this.#inner.startTls(options);
  }

  /** Ends our side alone, where the network can. */
  finish(): void {
    this.#inner.finish?.();
  }

  end(): void {
    this.#inner.end();
    this.#finished();
  }

  destroy(): void {
    this.#inner.destroy();
    this.#finished();
  }

  /** Every line that is complete now, joined with what came before it, however it was cut. */
  #judge(text: string): void {
    const lines = (this.#rest + text).split(/[\r\n]/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#judgeLine(line);
    if (this.#rest.length > LINE_BYTES) {
      this.#judgeRecipient(this.#rest);
      this.#rest = this.#rest.slice(-LINE_BYTES);
    }
  }

  #judgeLine(line: string): void {
    this.#judgeRecipient(line);
    // Content counts from the moment it could be taken: MAIL and RCPT went before.
    const [verb = ''] = line.trim().toLowerCase().split(/[\s:]/, 1);
    if (verb === 'mail') this.#transaction = 'mail';
    if (verb === 'rcpt' && this.#transaction === 'mail') this.#transaction = 'rcpt';
    if ((verb === 'data' || verb === 'bdat') && this.#transaction === 'rcpt') {
      this.#transaction = undefined;
      this.#options.budget.message();
    }
  }

  #judgeRecipient(line: string): void {
    if (this.#options.recipients.allowsLine(line)) return;
    throw Failure.permanent('third-party', 'a probe must not address a third party');
  }

  #finished(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#fate.ended();
    this.#closing = this.#options.budget.clock.after(CLOSING_MS, () => this.#left());
    if (this.#isGone) this.#closing.cancel();
  }

  #left(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#closing?.cancel();
    this.#fate.gone();
  }
}
