/** The stage of a rehearsal: a server with settings that are not taken yet, alone on loopback. */

import { join } from 'node:path';
import { parseDomain } from '#base/domain.ts';
import { invariant } from '#base/failure.ts';
import { Secret } from '#base/secret.ts';
import type { Log, Metrics, Network, Resolver, World } from '#base/world.ts';
import { systemClock } from '#network/clock.ts';
import { systemRandom } from '#network/random.ts';
import { tcpNetwork } from '#network/tcp.ts';
import { hashPassword } from '#policy/login/password.ts';
import type { Store } from '#store/store.ts';
import type { Settings } from '../configuration/settings.ts';
import { isLoopback } from '../configuration/loopback.ts';
import { generatePassword } from '../password.ts';
import { certificateFiles, loadIdentity, ownCertificates } from '../serve/certificates.ts';
import { type HostParts, openHost } from '../serve/host.ts';
import { LISTENER_NAMES, type ListenerName, placeHosts } from '../serve/listeners.ts';
import { openEngine } from '../serve/store.ts';
import { machineAddresses } from '../serve/world.ts';
import { strangerFor, strangersOnly } from './strangers.ts';

export interface Stage {
  /** Ports on 127.0.0.1, by listener. */
  readonly ports: ReadonlyMap<ListenerName, number>;
  /** The only domain of the stage, and its only account. */
  readonly domain: string;
  readonly account: { readonly login: string; readonly password: Secret<string> };
  /** The address that every client seems to come from. */
  readonly stranger: string;
  /** Ends the server; its data stay. */
  close(): Promise<void>;
}

export interface StagePlaces {
  /** For its data: empty, and whoever made it removes it. */
  readonly folder: string;
  /** For certificates of our own, where the settings name none: made there if they are missing. */
  readonly certificates: string;
}

/** What a test exchanges, so that the server lacks one cure; production exchanges nothing. */
export interface Exchanged {
  network?(network: Network): Network;
  parts?(parts: HostParts): HostParts;
}

const domain = parseDomain('rehearsal.test');
invariant(domain !== undefined, 'rehearsal.test is a domain');
const DOMAIN = domain;
const LOGIN = `somebody@${DOMAIN}`;
const KEY_OCTETS = 32;

/**
 * Starts it: own data, free ports, no DNS, no connection to anywhere, and every client a stranger.
 * Fails as the server itself would with these settings.
 */
export async function openStage(
  settings: Settings,
  { folder, certificates }: StagePlaces,
  exchanged: Exchanged = {},
): Promise<Stage> {
  const cleanups: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  };
  try {
    const staged = stagedSettings(settings, join(folder, 'data'));
    const stranger = strangerFor(settings);
    const world = cutOff(stranger, exchanged);
    const files = certificateFiles(settings).map(({ files: pair }) => pair);
    if (files.length === 0) {
      const names = [settings.myhostname];
      const own = await ownCertificates(certificates, names, world.clock.now());
      files.push(own.files);
    }
    const identity = loadIdentity(files);
    cleanups.push(() => identity.close());
    const store = await openEngine(staged);
    cleanups.push(() => store.close());
    const password = await furnish(store, world);
    const parts: HostParts = {
      settings: staged,
      world,
      store,
      tls: identity,
      installationKey: world.random.bytes(KEY_OCTETS),
      demo: false,
      ownAddresses: machineAddresses(),
      renew: async () => undefined,
    };
    const host = await openHost(exchanged.parts?.(parts) ?? parts, cleanups);
    cleanups.push(() => host.stop());
    const ports = new Map(
      host.opened.listeners.map(({ row, places }) => [row.name, places[0]?.port ?? 0]),
    );
    return { ports, domain: DOMAIN, account: { login: LOGIN, password }, stranger, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/**
 * The settings with places of their own. Limits that hold a client back over time are off: all
 * probes come from one address, and would be measuring them alone.
 */
function stagedSettings(settings: Settings, directory: string): Settings {
  const places = Object.fromEntries(
    LISTENER_NAMES.map((name) => {
      const asked = settings[`${name}_listen`];
      const hosts = asked.flatMap((place) => placeHosts(settings, place));
      // LMTP has no logins: it is for programs of this machine, and strangers cannot reach it.
      const reachable = hosts.length > 0 && !(name === 'lmtp' && hosts.every(isLoopback));
      return [`${name}_listen`, reachable ? [{ host: '127.0.0.1', port: 0 }] : []];
    }),
  );
  return {
    ...settings,
    ...places,
    data_directory: directory,
    inet_protocols: 'all',
    queue_minfree: 0,
    postmaster_address: LOGIN,
    smtpd_client_connection_count_limit: 0,
    smtpd_client_connection_rate_limit: 0,
    smtpd_client_message_rate_limit: 0,
    smtpd_client_recipient_rate_limit: 0,
    smtpd_client_unknown_limit: 0,
    smtpd_greet_wait: 0,
    shutdown_timeout: 0,
  };
}

function cutOff(stranger: string, exchanged: Exchanged): World {
  const network = strangersOnly(tcpNetwork({ lingerMs: 500 }), stranger);
  return {
    clock: systemClock,
    random: systemRandom,
    network: exchanged.network?.(network) ?? network,
    resolver: NO_DNS,
    log: NO_LOG,
    metrics: NO_METRICS,
  };
}

async function furnish(store: Store, { random, clock }: World): Promise<Secret<string>> {
  const password = generatePassword(random);
  const credentials = await hashPassword(password, random);
  await store.write('addDomain', { name: DOMAIN });
  await store.write('addAccount', { address: LOGIN, credentials, nowMs: clock.now() });
  return new Secret(password);
}

const NO_LOG: Log = { event: () => undefined };
const NO_METRICS: Metrics = {
  count: () => undefined,
  gauge: () => undefined,
  observe: () => undefined,
};

/** Every name is unknown. */
const NO_DNS: Resolver = {
  mx: unknown,
  a: unknown,
  aaaa: unknown,
  txt: unknown,
  ptr: unknown,
  tlsa: unknown,
  srv: unknown,
  caa: unknown,
};

function unknown() {
  return Promise.resolve({ kind: 'none', why: 'nxdomain', authentic: false } as const);
}
