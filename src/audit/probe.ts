/** A probe: a plain async function that tries something at a target and tells what it saw. */

import type { Endpoint, Random, Resolver, World } from '#base/world.ts';
import type { Secret } from '#base/secret.ts';
import type { Check, Level } from './check.ts';
import type { Outcome, Protocol } from './finding.ts';
import type { Recipients } from './safety/recipients.ts';
import type { Service } from './service.ts';
import type { Dialled, DialOptions } from './wire/dial.ts';

/**
 * One probe may serve several checks. It tells an outcome for each check that it declares; what
 * it leaves out, and everything when it throws or takes too long, becomes `inconclusive` with the
 * reason: silence is never a pass. Told twice, the graver outcome of a check stays.
 */
export type Probe = ServiceProbe | HostProbe | DomainProbe;

interface ProbeBase {
  /** File name without `.ts`, unique. */
  readonly name: string;
  readonly level: Level;
  readonly checks: readonly Check[];
  /** Default 20,000; a run at level safe gives 6,000 at most. */
  readonly limitMs?: number;
  /** Others would be disturbed (tarpit, limits, lock-out): runs last, with nobody beside it. */
  readonly alone?: boolean;
}

/** Run once for each service that `fits`. */
export interface ServiceProbe extends ProbeBase {
  readonly scope: 'service';
  fits(service: Service): boolean;
  run(context: ServiceContext): Promise<void>;
}

/** Run once for each host, over all services that were found there (differences, reused keys). */
export interface HostProbe extends ProbeBase {
  readonly scope: 'host';
  run(context: HostContext): Promise<void>;
}

/** Run once for a domain: what is read from the DNS. */
export interface DomainProbe extends ProbeBase {
  readonly scope: 'domain';
  run(context: DomainContext): Promise<void>;
}

/** What every probe is given. Nothing else of the world is reachable from a probe. */
export interface ProbeContext {
  /** The clock, and the network as far as the guard lets through. */
  readonly world: Pick<World, 'clock' | 'network'>;
  readonly random: Random;
  readonly resolver: Resolver;
  readonly options: ProbeOptions;
  /** The level of the run: a probe may do less at `safe` than at `active`. */
  readonly level: Level;
  /** Says what was seen. Without `evidence` the wires opened so far are attached. */
  tell(outcome: Outcome): void;
  /** Milliseconds until this probe is cut off. */
  leftMs(): number;
  /** A fresh name for test data: `count` letters and digits, begins with a letter. */
  token(count?: number): string;
}

export interface ServiceContext extends ProbeContext {
  readonly service: Service;
  /** What else answers on this host. */
  readonly services: readonly Service[];
  readonly recipients: Recipients;
  /**
   * A connection to the service; with implicit TLS it is under TLS already unless `tls` is null.
   * The source address of the run is used. Fails as the guard does (budget, permission).
   */
  dial(options?: ProbeDialOptions): Promise<Dialled>;
}

export interface HostContext extends ProbeContext {
  readonly host: string;
  readonly address: string;
  readonly services: readonly Service[];
  readonly recipients: Recipients;
  dial(service: Service, options?: ProbeDialOptions): Promise<Dialled>;
}

export interface DomainContext extends ProbeContext {
  readonly domain: string;
  /** Services found on its MX hosts. */
  readonly services: readonly Service[];
}

export type ProbeDialOptions = Omit<DialOptions, 'tls'> & {
  /** null: in clear, also where TLS is implicit. */
  readonly tls?: DialOptions['tls'] | null;
  /**
   * Handed over at once, its greeting not looked at: for who speaks first, takes the time of the
   * greeting, or wants to know when it is refused. Others are not told of a server that is full
   * just now: they wait, and come again.
   */
  readonly bare?: boolean;
};

/** What the operator gave, beside target and level. */
export interface ProbeOptions {
  /** How long to wait for an answer. Default 3,000 on our own networks, else 10,000. */
  readonly replyMs: number;
  /** `--source`: the address to come from. */
  readonly source: string | undefined;
  /** Our name in EHLO. */
  readonly heloName: string;
  /** Domains whose mail the target receives, the likeliest first; may be empty. */
  readonly domains: readonly string[];
  /** Names to try where users are enumerated; may be empty. */
  readonly names: readonly string[];
  /** A mailbox known to exist, for positive controls. */
  readonly knownUser: string | undefined;
  readonly account: ProbeAccount | undefined;
  readonly canary: Canary | undefined;
  /** DKIM selectors that the operator names. */
  readonly selectors: readonly string[];
}

export interface ProbeAccount {
  readonly login: string;
  readonly password: Secret<string>;
}

/** Our own receiver: what arrives there was really relayed. */
export interface Canary {
  /** Mail for any name in this domain reaches it. */
  readonly domain: string;
  readonly endpoint: Endpoint;
  /** The message whose octets hold `token`, or undefined when none came in time. */
  arrived(token: string, withinMs: number): Promise<CanaryMessage | undefined>;
}

export interface CanaryMessage {
  readonly from: Endpoint;
  readonly reversePath: string;
  readonly recipients: readonly string[];
  /** All octets between DATA and the end, undone of nothing. */
  readonly octets: Uint8Array;
}

/** For `fits`: services of one of these protocols. */
export function speaks(...protocols: readonly Protocol[]): (service: Service) => boolean {
  return ({ protocol }) => protocols.includes(protocol);
}
