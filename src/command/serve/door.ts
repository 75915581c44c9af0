/** Behind every listener: the proxy's word, the limit of one client, TLS first where it must be. */

import { utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import type { Clock, Connection, Log, Metrics, TlsIdentity } from '#base/world.ts';
import type { ListenerRow, ProtocolName } from './listeners.ts';

/** A running session, as the door needs it: `Drive` of service/drive.ts is one. */
export interface Session {
  /** Ends politely: at once when idle, else after the answer that is owed. */
  stop(): void;
  /** Ends now. */
  destroy(): void;
}

/** Serves one connection; calls `closed` once when it is gone. TLS on accept was negotiated. */
export type Accept = (connection: Connection, row: ListenerRow, closed: () => void) => Session;

/** Reads what a proxy says of the client; resolves with the connection as the client made it. */
export type Introduce = (connection: Connection) => Promise<Connection>;

export interface DoorOptions {
  readonly accept: Readonly<Partial<Record<ProtocolName, Accept>>>;
  readonly tls: TlsIdentity | undefined;
  readonly handshakeMs: number;
  /** Open connections of one client address; 0: no limit. */
  readonly perClient: number;
  /** Whether a PROXY header must come first from this address. */
  readonly isProxy: (address: string) => boolean;
  readonly introduce: Introduce;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Takes connections in and knows the open ones, so that they can be told to stop. */
export class Door {
  readonly #options: DoorOptions;
  readonly #sessions = new Set<Session>();
  readonly #perClient = new Map<string, number>();
  #stopping = false;
  #empty: (() => void) | undefined;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  /** How many connections are open. */
  get open(): number {
    return this.#sessions.size;
  }

  /** A new connection; whatever fails here ends this connection alone. */
  admit(connection: Connection, row: ListenerRow): void {
    if (this.#stopping) {
      connection.destroy();
      return;
    }
    const { isProxy, introduce } = this.#options;
    if (!isProxy(connection.remote.address)) {
      this.#greet(connection, row);
      return;
    }
    const waiting = this.#hold(connection);
    introduce(connection).then(
      (introduced) => {
        this.#sessions.delete(waiting);
        this.#greet(introduced, row);
      },
      (thrown: unknown) => this.#failed('proxy-header', connection, waiting, row, thrown),
    );
  }

  /** Tells every session to end, waits at most `timeoutMs`, then ends what is left. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping = true;
    for (const session of this.#sessions) session.stop();
    if (this.#sessions.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.after(timeoutMs, resolve);
      this.#empty = () => {
        timer.cancel();
        resolve();
      };
    });
    for (const session of this.#sessions) session.destroy();
  }

  #greet(connection: Connection, row: ListenerRow): void {
    const { address } = connection.remote;
    const { perClient, tls, handshakeMs, log, metrics } = this.#options;
    const already = this.#perClient.get(address) ?? 0;
    metrics.count('connections_total', { listener: row.name });
    if (perClient > 0 && already >= perClient) {
      log.event('warn', 'too-many-connections', { listener: row.name, remote: address });
      if (row.tls !== 'implicit') connection.write(utf8(TOO_MANY[row.protocol]));
      connection.end();
      return;
    }
    this.#perClient.set(address, already + 1);
    if (row.tls !== 'implicit') {
      this.#serve(connection, row);
      return;
    }
    if (tls === undefined) {
      this.#left(address);
      connection.destroy();
      return;
    }
    const waiting = this.#hold(connection);
    connection.startTls({ side: 'server', identity: tls, handshakeMs }).then(
      () => {
        this.#sessions.delete(waiting);
        this.#serve(connection, row);
      },
      (thrown: unknown) => {
        this.#left(address);
        this.#failed('tls-failed', connection, waiting, row, thrown);
      },
    );
  }

  #serve(connection: Connection, row: ListenerRow): void {
    const { accept, log } = this.#options;
    const { address } = connection.remote;
    let ended = false;
    let session: Session | undefined;
    const closed = (): void => {
      if (ended) return;
      ended = true;
      this.#left(address);
      if (session !== undefined) this.#drop(session);
    };
    try {
      const serve = accept[row.protocol];
      if (serve === undefined) throw new Error(`nobody serves ${row.protocol}`);
      session = serve(connection, row, closed);
      // It may have ended within the call.
      if (!ended) this.#sessions.add(session);
      if (this.#stopping && !ended) session.stop();
    } catch (thrown) {
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      log.event('error', 'accept-bug', { listener: row.name, message });
      connection.destroy();
      closed();
    }
  }

  /** A connection that nobody serves yet: a stop ends it at once. */
  #hold(connection: Connection): Session {
    const end = (): void => connection.destroy();
    const waiting: Session = { stop: end, destroy: end };
    this.#sessions.add(waiting);
    return waiting;
  }

  #failed(
    event: string,
    connection: Connection,
    waiting: Session,
    row: ListenerRow,
    thrown: unknown,
  ): void {
    connection.destroy();
    this.#drop(waiting);
    const reason = Failure.from(thrown).message;
    const { log, metrics } = this.#options;
    metrics.count('refused_connections_total', { listener: row.name, reason: event });
    log.event('info', event, { listener: row.name, remote: connection.remote.address, reason });
  }

  #drop(session: Session): void {
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#empty?.();
  }

  #left(address: string): void {
    const count = (this.#perClient.get(address) ?? 1) - 1;
    if (count <= 0) this.#perClient.delete(address);
    else this.#perClient.set(address, count);
  }
}

const TOO_MANY: Readonly<Record<ProtocolName, string>> = {
  smtp: '421 4.7.0 Too many connections from your address\r\n',
  submission: '421 4.7.0 Too many connections from your address\r\n',
  lmtp: '421 4.7.0 Too many connections from your address\r\n',
  imap: '* BYE [UNAVAILABLE] Too many connections from your address\r\n',
  pop3: '-ERR [SYS/TEMP] Too many connections from your address\r\n',
};
