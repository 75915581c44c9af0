/** Making connections: from a chosen source, in clear or with TLS at once; no answer is an answer. */

import { Failure } from '#base/failure.ts';
import type { Connection, Endpoint, World } from '#base/world.ts';
import { type Exchange, Recorder } from './exchange.ts';
import { WIRE_LIMITS, type WireLimits } from './limits.ts';
import { tlsText, Wire } from './wire.ts';

export interface DialOptions {
  /** The local address to come from: what a server allows depends on it. */
  readonly source?: string;
  /** TLS before the greeting; `name` goes into SNI. */
  readonly tls?: { readonly name: string };
  /** For the connection and for the handshake. Default 10,000. */
  readonly timeoutMs?: number;
  readonly limits?: Partial<WireLimits>;
}

/** An open wire, or why there is none; `exchange` is evidence of that too. */
export type Dialled =
  | { readonly kind: 'open'; readonly wire: Wire }
  | {
      readonly kind: 'refused' | 'timeout' | 'unreachable' | 'tls-failed';
      readonly why: string;
      readonly exchange: Exchange;
    };

const TIMEOUT_MS = 10_000;

/** Connects. Never throws for what the other side does, only what the network forbids. */
export async function dial(
  world: Pick<World, 'clock' | 'network'>,
  target: Endpoint,
  options: DialOptions = {},
): Promise<Dialled> {
  const limits = { ...WIRE_LIMITS, ...options.limits };
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const startedMs = world.clock.now();
  const startedElapsedMs = world.clock.elapsed();
  const recorder = new Recorder(limits);
  const implicitTls = options.tls !== undefined;
  const failed = (kind: Exclude<Dialled['kind'], 'open'>, why: string): Dialled => {
    recorder.note(world.clock.elapsed() - startedElapsedMs, why);
    const exchange = {
      target,
      source: options.source === undefined ? undefined : { address: options.source, port: 0 },
      startedMs,
      implicitTls,
      tls: undefined,
      turns: recorder.turns(),
      omittedTurns: 0,
    };
    return { kind, why, exchange };
  };
  let connection: Connection;
  try {
    const { address, port } = target;
    const source = options.source === undefined ? {} : { source: options.source };
    connection = await world.network.connect({ address, port, timeoutMs, ...source });
  } catch (thrown) {
    const { code, message, ...failure } = Failure.from(thrown);
    // What was not permitted, or not paid for, is no answer of the other side.
    if (failure.kind === 'permanent') throw thrown;
    const kind = code === 'connection-refused' ? 'refused' : code === 'timeout' ? code : undefined;
    return failed(kind ?? 'unreachable', message);
  }
  if (options.tls !== undefined) {
    try {
      const { name: serverName } = options.tls;
      const handshakeMs = timeoutMs;
      const how = { serverName, verify: 'opportunistic', handshakeMs } as const;
      const secure = await connection.startTls({ side: 'client', ...how });
      recorder.note(world.clock.elapsed() - startedElapsedMs, tlsText(secure));
    } catch (thrown) {
      return failed('tls-failed', Failure.from(thrown).message);
    }
  }
  const start = { clock: world.clock, limits, target, startedMs, startedElapsedMs, recorder };
  return { kind: 'open', wire: new Wire(connection, { ...start, implicitTls }) };
}
