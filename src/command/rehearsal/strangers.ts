/** The network of a rehearsal: everybody who comes looks like a stranger, and nothing leaves. */

import { Failure } from '#base/failure.ts';
import type { Connection, Endpoint, Network, Receiver, TlsOptions } from '#base/world.ts';
import { parseNetworks } from '#policy/restrictions/networks.ts';
import type { Settings } from '../configuration/settings.ts';

/** An address of the documentation (RFC 5737 3): nobody's. */
const NOBODY = '192.0.2.66';

/**
 * The addresses just outside the private ranges of RFC 1918 3, and those of the documentation:
 * whoever trusts one of them wrote a prefix too short, `192.0.0.0/8` for `192.168.0.0/16`.
 */
const BESIDE_PRIVATE = [
  NOBODY,
  '198.51.100.66',
  '203.0.113.66',
  '9.255.255.66',
  '11.0.0.66',
  '172.15.255.66',
  '172.32.0.66',
  '192.167.255.66',
  '192.169.0.66',
];

/** Who comes: a stranger whom the settings trust by mistake, if there is one. */
export function strangerFor(settings: Settings): string {
  const trusted = [settings.mynetworks, settings.smtpd_upstream_proxy_hosts].map((list) =>
    parseNetworks(list),
  );
  const isTrusted = (address: string): boolean =>
    trusted.some((parsed) => parsed.kind === 'networks' && parsed.networks.includes(address));
  return BESIDE_PRIVATE.find(isTrusted) ?? NOBODY;
}

/** `network` listens; each client seems to come from `address`, and no connection goes out. */
export function strangersOnly(network: Network, address: string): Network {
  return {
    listen: (where, accept) =>
      network.listen(where, (connection) => accept(new FromElsewhere(connection, address))),
    connect: () =>
      Promise.reject(Failure.temporary('unreachable', 'nothing leaves in a rehearsal')),
  };
}

/** A connection with another address on the far side. */
class FromElsewhere implements Connection {
  readonly remote: Endpoint;
  readonly #connection: Connection;

  constructor(connection: Connection, address: string) {
    this.#connection = connection;
    this.remote = { address, port: connection.remote.port };
  }

  get local(): Endpoint {
    return this.#connection.local;
  }

  get secure(): Connection['secure'] {
    return this.#connection.secure;
  }

  open(receiver: Receiver): void {
    this.#connection.open(receiver);
  }

  write(bytes: Uint8Array): boolean {
    return this.#connection.write(bytes);
  }

  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  startTls(options: TlsOptions): ReturnType<Connection['startTls']> {
    return this.#connection.startTls(options);
  }

  finish(): void {
    this.#connection.finish?.();
  }

  end(): void {
    this.#connection.end();
  }

  destroy(): void {
    this.#connection.destroy();
  }
}
