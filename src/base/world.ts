/** Everything outside the program as interfaces: time, chance, network, names, log and figures. */

import type { Awaitable } from './brand.ts';
import type { Failure } from './failure.ts';
import type { JsonObject } from './json.ts';
import type { Secure } from './secure.ts';

/** What production gets from the system and a simulation from a seed. */
export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly resolver: Resolver;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface Clock {
  /** Wall clock, milliseconds since 1970 UTC: for dates that people read. */
  now(): number;
  /** Monotonic milliseconds: for durations and deadlines. */
  elapsed(): number;
  /** Runs `task` once, no sooner than `ms` from now; a timer alone does not keep a process up. */
  after(ms: number, task: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

export interface Random {
  /** `length` octets that nobody can foresee. */
  bytes(length: number): Uint8Array;
}

/** An IP address as text (`192.0.2.1`, `2001:db8::1`; never mapped `::ffff:`) and a port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface Network {
  /** Listens; resolves once the port is bound. Fails with `port-in-use`, `not-permitted`. */
  listen(options: ListenOptions, accept: (connection: Connection) => void): Promise<Listener>;
  /** Connects; fails with `connection-refused`, `timeout`, `unreachable`, all temporary. */
  connect(options: ConnectOptions): Promise<Connection>;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 asks for any free port. */
  readonly port: number;
  /** Further connections wait in the kernel while this many are open. */
  readonly maxConnections: number;
}

export interface Listener {
  readonly local: Endpoint;
  /** Stops accepting; open connections go on. */
  close(): Promise<void>;
}

export interface ConnectOptions extends Endpoint {
  readonly timeoutMs: number;
  /** The local address to bind, where it matters (audit, several addresses). */
  readonly source?: string;
}

/** One stream, driven by callbacks; nothing is read before `open`. */
export interface Connection {
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly secure: Secure | undefined;
  /** Hands over the receiver and starts reading. Called again, it replaces the receiver. */
  open(receiver: Receiver): void;
  /** Queues octets (the caller gives them up); false: wait for `drained` before sending more. */
  write(bytes: Uint8Array): boolean;
  pause(): void;
  resume(): void;
  /** TLS on this stream; what was received in clear and not yet read is dropped. */
  startTls(options: TlsOptions): Promise<Secure>;
  /** Half close, where there is one: sends what is queued and says no more, but goes on reading. */
  finish?(): void;
  /**
   * Sends what is queued, then closes. Octets that still come are read away, so that they do not
   * reset the stream and take the last ones with it; not when the peer has `parted`: said that
   * nothing will come.
   */
  end(parted?: boolean): void;
  /** Closes now. */
  destroy(): void;
}

export interface Receiver {
  /** Octets came, in memory that is the receiver's now. */
  received(bytes: Uint8Array): void;
  drained(): void;
  /** The peer will send no more. */
  ended(): void;
  /** The stream is gone; called once, with the failure if there was one. */
  closed(failure?: Failure): void;
}

export type TlsOptions =
  | {
      readonly side: 'server';
      readonly identity: TlsIdentity;
      readonly handshakeMs: number;
      /** Octets of the handshake that were read already, behind a PROXY header: not dropped. */
      readonly received?: Uint8Array;
    }
  | {
      readonly side: 'client';
      /** The name for SNI and for verification. */
      readonly serverName: string;
      /** PEM of the only authorities to trust; undefined: the system's. */
      readonly authorities?: string;
      /** `require`: an unverified peer is a failure. `opportunistic`: it is only a fact. */
      readonly verify: 'require' | 'opportunistic';
      readonly handshakeMs: number;
    };

/** Certificates by name, replaced live; opaque to everyone but the network that made it. */
export interface TlsIdentity {
  readonly kind: 'tls-identity';
  /** Who it answers for: the names of the default certificate. */
  readonly names: readonly string[];
  /** When the default certificate ends, milliseconds since 1970. */
  readonly notAfterMs: number;
}

/** A DNS answer: records, none (with which kind of none), or no answer at all. */
export type Lookup<T> =
  | {
      readonly kind: 'found';
      readonly records: readonly T[];
      readonly ttlSeconds: number;
      /** The AD bit from a resolver that is listed as validating. */
      readonly authentic: boolean;
      /** The name that owns the records, where aliases led from the one asked for to another. */
      readonly canonical?: string;
    }
  | { readonly kind: 'none'; readonly why: 'nxdomain' | 'nodata'; readonly authentic: boolean }
  /** Timeout, SERVFAIL, bogus: temporary, never to be read as `none`. */
  | { readonly kind: 'failed'; readonly reason: string };

export interface Resolver {
  mx(domain: string): Promise<Lookup<{ readonly preference: number; readonly exchange: string }>>;
  /** IPv4 addresses. */
  a(host: string): Promise<Lookup<string>>;
  /** IPv6 addresses. */
  aaaa(host: string): Promise<Lookup<string>>;
  /** Each record's strings joined, octets as latin1. */
  txt(name: string): Promise<Lookup<string>>;
  /** Names of an IP address. */
  ptr(address: string): Promise<Lookup<string>>;
  tlsa(name: string): Promise<Lookup<TlsaRecord>>;
  /** Where a service is (RFC 2782); the root `.` as target: it is not offered. */
  srv(name: string): Promise<Lookup<SrvRecord>>;
  /** Who may issue certificates for a name (RFC 8659 4). */
  caa(name: string): Promise<Lookup<CaaRecord>>;
}

export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  /** Lower case, no trailing dot. */
  readonly target: string;
}

export interface CaaRecord {
  readonly critical: boolean;
  /** `issue`, `issuewild`, `iodef`; lower case. */
  readonly tag: string;
  readonly value: string;
}

export interface TlsaRecord {
  readonly usage: number;
  readonly selector: number;
  readonly matching: number;
  readonly data: Uint8Array;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Structured log, one line an event; values are escaped and capped by the writer. */
export interface Log {
  event(level: LogLevel, name: string, fields?: JsonObject): void;
}

export interface Metrics {
  /** Adds to a counter, `postern_` is put before the name. */
  count(name: string, labels?: Readonly<Record<string, string>>, by?: number): void;
  /** Sets a gauge. */
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
  /** One observation of a duration. */
  observe(name: string, seconds: number, labels?: Readonly<Record<string, string>>): void;
}

/** What asks the world something on behalf of a machine. */
export type Ask<Question, Answer> = (question: Question) => Awaitable<Answer>;
