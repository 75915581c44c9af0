/** A small internet for tests of transfer: DNS and sinks on loopback, and jobs to send there. */

import { parseAddress } from '#base/address.ts';
import type { Domain, QueueId } from '#base/brand.ts';
import type { Clock } from '#base/world.ts';
import type { RecipientResult, Transfer, TransferJob } from '#agents/transfer/job.ts';
import type { TransferOptions } from '#agents/transfer/options.ts';
import { transfer } from '#agents/transfer/transfer.ts';
import { systemClock } from '#network/clock.ts';
import { dnsResolver, type ResolverOptions } from '#network/dns/resolver.ts';
import { systemRandom } from '#network/random.ts';
import { tcpNetwork } from '#network/tcp.ts';
import { startDnsServer, type DnsServer, type ZoneEntry } from './dns-server.ts';
import { startSink, type Sink, type SinkOptions } from './smtp-sink.ts';

export class TransferWorld {
  readonly dns: DnsServer;
  readonly #sinks: Sink[] = [];
  readonly #transfers: Transfer[] = [];

  private constructor(dns: DnsServer) {
    this.dns = dns;
  }

  static async start(): Promise<TransferWorld> {
    return new TransferWorld(await startDnsServer());
  }

  async sink(options: SinkOptions = {}): Promise<Sink> {
    const sink = await startSink(options);
    this.#sinks.push(sink);
    return sink;
  }

  /** Sinks on 127.0.0.1, 127.0.0.2 and so on, all at one port, as MX hosts are. */
  async sinks(...options: readonly SinkOptions[]): Promise<Sink[]> {
    const first = await this.sink({ ...options[0] });
    const rest = options.slice(1).map((more, index) => {
      return this.sink({ ...more, host: `127.0.0.${index + 2}`, port: first.port });
    });
    return [first, ...(await Promise.all(rest))];
  }

  /** Replaces the zone; the caches of later transfers are fresh. */
  zone(entries: Readonly<Record<string, ZoneEntry>>): void {
    this.dns.zone.clear();
    for (const [name, entry] of Object.entries(entries)) this.dns.zone.set(name, entry);
  }

  transfer(
    more: Partial<TransferOptions> = {},
    clock: Clock = systemClock,
    dns: Partial<ResolverOptions> = {},
  ): Transfer {
    const resolver = dnsResolver({
      clock: systemClock,
      random: systemRandom,
      servers: [this.dns.server],
      tryMs: 5_000,
      ...dns,
      rounds: 1,
    });
    const world = { clock, random: systemRandom, network: tcpNetwork({ lingerMs: 100 }), resolver };
    const made = transfer({ world, hostname: 'here.test', permitLoopback: true, ...more });
    this.#transfers.push(made);
    return made;
  }

  async close(): Promise<void> {
    for (const sink of this.#sinks) await sink.close();
    for (const one of this.#transfers) await one.close();
    await this.dns.close();
  }
}

/** A job for addresses of one domain. */
export function job(
  addresses: readonly string[],
  text = 'Subject: x\r\n\r\nhello\r\n',
): TransferJob {
  const bytes = Buffer.from(text, 'latin1');
  const domain = parseAddress(addresses[0] ?? '')?.domain ?? ('none.test' as Domain);
  return {
    id: 'Q1' as QueueId,
    envelope: {
      reversePath: 'a@here.test',
      ret: undefined,
      envelopeId: undefined,
      smtpUtf8: false,
      body: '7bit',
    },
    domain,
    recipients: addresses.map((address, index) => {
      return { number: index + 1, address, notify: undefined, originalRecipient: undefined };
    }),
    sizeBytes: bytes.length,
    read: (from, length) => bytes.subarray(from, from + length),
  };
}

/** `delivered`, or `kind status`. */
export function brief(results: readonly RecipientResult[]): string[] {
  return results.map((one) => (one.kind === 'delivered' ? one.kind : `${one.kind} ${one.status}`));
}
