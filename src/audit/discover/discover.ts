/** Discovery: what answers at an address, told by what it says and not by the number of its port. */

import { isLoopback } from '#base/ip.ts';
import { latin1 } from '#base/bytes.ts';
import type { World } from '#base/world.ts';
import type { Exchange } from '../finding.ts';
import { isOwnNetwork } from '../safety/permit.ts';
import type { Service } from '../service.ts';
import { dial } from '../wire/dial.ts';
import { GREETING_MS } from '../wire/limits.ts';
import { isLost, lossText, type Wire } from '../wire/wire.ts';
import { isRefusal, notSpoken, speak, type Spoken } from './greeting.ts';

/** One host with the ports to look at. */
export interface Place {
  /** Name or address, as it was asked for. */
  readonly host: string;
  readonly address: string;
  readonly ports: readonly number[];
}

/** What a port turned out to be. */
export type Port =
  | { readonly kind: 'service'; readonly port: number; readonly service: Service }
  /** Something answers, or waits in silence, that is no mail service we know. */
  | {
      readonly kind: 'other';
      readonly port: number;
      readonly why: string;
      readonly exchange: Exchange;
    }
  | { readonly kind: 'closed' | 'filtered'; readonly port: number };

export interface DiscoverOptions {
  readonly heloName: string;
  readonly source: string | undefined;
  /** For each answer but the greeting. */
  readonly replyMs: number;
  /** Told when a connection was refused for being too many. */
  readonly refused?: () => void;
  /** Told how long a service took for its quickest answer: at least the way there and back. */
  readonly answeredIn?: (ms: number) => void;
  /** Told when a port is done. */
  readonly done?: (port: Port) => void;
}

/** Where mail services usually listen: LMTP 24, ManageSieve 4190, and 2525 instead of 25. */
export const USUAL_PORTS: readonly number[] = [24, 25, 110, 143, 465, 587, 993, 995, 2525, 4190];

/** Silence after which TLS is tried beside: a server for TLS waits for our hello. */
const IMPLICIT_MS = 150;
const UNKNOWN_MS = { near: 200, far: 1_000 };
const CONNECT_MS = { own: 2_000, other: 5_000 };
const IMPLICIT_PORTS = new Set([465, 993, 995]);
/** Never spoken to early: a hello before the greeting gets us on a list of spammers. */
const CLEAR_PORTS = new Set([24, 25, 110, 143, 587, 2525, 4190]);

type Look = Pick<World, 'clock' | 'network'>;

/**
 * Looks at all ports of a place at once; the result is in the order of the ports. A server that
 * refuses so many of us is asked again for the rest, one port after the other.
 */
export async function discover(
  world: Look,
  place: Place,
  options: DiscoverOptions,
): Promise<readonly Port[]> {
  const first = await Promise.all(
    place.ports.map(async (port) => {
      const startMs = world.clock.elapsed();
      const found = await look(world, place, port, options);
      // Who has too many says so at once; after a silence it is something else (a PROXY header).
      const full = refuses(found) && world.clock.elapsed() - startMs < REFUSAL_MS;
      if (full) options.refused?.();
      else options.done?.(found);
      return { found, full };
    }),
  );
  const ports: Port[] = [];
  for (const { found, full } of first) {
    if (!full) {
      ports.push(found);
      continue;
    }
    let again = found;
    for (let turn = 1; turn <= TURNS && refuses(again); turn += 1) {
      await new Promise<void>((resolve) => void world.clock.after(PAUSE_MS * turn, resolve));
      again = await look(world, place, found.port, options);
    }
    options.done?.(again);
    ports.push(again);
  }
  return ports;
}

/** How often a port that refused is looked at again, each time a little later. */
const TURNS = 3;
const PAUSE_MS = 200;
const REFUSAL_MS = 2_000;

/** No session just now, or none of so many at once. */
function refuses(port: Port): boolean {
  return port.kind === 'service' && isRefusal(port.service.greeting);
}

async function look(
  world: Look,
  place: Place,
  port: number,
  options: DiscoverOptions,
): Promise<Port> {
  const { address } = place;
  const timeoutMs = isOwnNetwork(address) ? CONNECT_MS.own : CONNECT_MS.other;
  const source = options.source === undefined ? {} : { source: options.source };
  const dialled = await dial(world, { address, port }, { timeoutMs, ...source });
  if (dialled.kind === 'refused') return { kind: 'closed', port };
  if (dialled.kind !== 'open') return { kind: 'filtered', port };
  const { wire } = dialled;
  const clear = greeted(wire, place, port, 'none', options);
  const under = underTls(world, place, port, options, clear);
  const first = await Promise.race([clear, under]);
  const found = first.kind === 'service' ? first : await better(clear, under);
  wire.destroy();
  const quickestMs = quickestAnswer(wire.exchange);
  if (quickestMs !== undefined) options.answeredIn?.(quickestMs);
  return found;
}

/** From one of our lines to what the server said next. */
function quickestAnswer({ turns }: Exchange): number | undefined {
  const gaps = turns.flatMap(({ from, atMs }, at) => {
    const before = turns[at - 1];
    return from === 'server' && before?.from === 'client' ? [atMs - before.atMs] : [];
  });
  return gaps.length === 0 ? undefined : Math.min(...gaps);
}

/** A service beats anything else; between two failures the clear one tells more. */
async function better(clear: Promise<Port>, under: Promise<Port>): Promise<Port> {
  const [plain, secure] = await Promise.all([clear, under]);
  return secure.kind === 'service' ? secure : plain;
}

/** Tries TLS at once when the clear connection stays silent; waits with it where that offends. */
async function underTls(
  world: Look,
  place: Place,
  port: number,
  options: DiscoverOptions,
  clear: Promise<Port>,
): Promise<Port> {
  const { address, host } = place;
  const patienceMs = IMPLICIT_PORTS.has(port)
    ? IMPLICIT_MS
    : CLEAR_PORTS.has(port)
      ? GREETING_MS
      : UNKNOWN_MS[isLoopback(address) ? 'near' : 'far'];
  const silence = Promise.withResolvers<'silence'>();
  const timer = world.clock.after(patienceMs, () => silence.resolve('silence'));
  const early = await Promise.race([clear, silence.promise]);
  timer.cancel();
  if (early !== 'silence') return early;
  const source = options.source === undefined ? {} : { source: options.source };
  const timeoutMs = isOwnNetwork(address) ? CONNECT_MS.own : CONNECT_MS.other;
  const at = { address, port };
  const dialled = await dial(world, at, { tls: { name: host }, timeoutMs, ...source });
  if (dialled.kind !== 'open') {
    return { kind: 'other', port, why: `silent, and no TLS: ${dialled.why}`, ...only(dialled) };
  }
  const found = await greeted(dialled.wire, place, port, 'implicit', options);
  dialled.wire.destroy();
  return found;
}

async function greeted(
  wire: Wire,
  { host, address }: Place,
  port: number,
  tls: 'none' | 'implicit',
  options: DiscoverOptions,
): Promise<Port> {
  const line = await wire.readLine(GREETING_MS);
  if (isLost(line)) {
    return { kind: 'other', port, why: `greeting: ${lossText(line)}`, exchange: wire.exchange };
  }
  const greeting = latin1(line.octets);
  const spoken = await speak(wire, greeting, options).catch(notSpoken);
  if (spoken.kind === 'other') {
    return { kind: 'other', port, why: spoken.why, exchange: wire.exchange };
  }
  const service: Service = {
    host,
    endpoint: { address, port },
    protocol: spoken.protocol,
    tls: tls === 'implicit' ? tls : spoken.startTls ? 'starttls' : 'none',
    role: roleOf(spoken, port, tls),
    greeting,
    capabilities: spoken.capabilities,
  };
  return { kind: 'service', port, service };
}

function roleOf(
  { protocol, loginFirst }: Extract<Spoken, { kind: 'spoken' }>,
  port: number,
  tls: 'none' | 'implicit',
): Service['role'] {
  if (protocol === 'lmtp') return 'delivery';
  if (protocol !== 'smtp') return 'access';
  if (port === 25) return 'reception';
  const forUsers = port === 587 || port === 465 || tls === 'implicit' || loginFirst;
  return forUsers ? 'submission' : 'reception';
}

function only({ exchange }: { readonly exchange: Exchange }): { readonly exchange: Exchange } {
  return { exchange };
}
