/** From outcomes, ports and the request to what a report holds. */

import { isLoopback } from '#base/ip.ts';
import { visible } from '#base/bytes.ts';
import { type Cure, groupOf, type Product, PRODUCTS } from '../check.ts';
import type { Place, Port } from '../discover/discover.ts';
import type { Finding, Outcome, Target } from '../finding.ts';
import { productName } from '../formats/words.ts';
import type { Report, ReportedService, Vantage } from '../report.ts';
import type { Distance } from '../safety/budget.ts';
import { isOwnNetwork } from '../safety/permit.ts';
import type { Service } from '../service.ts';
import type { AuditRequest } from './request.ts';
import { type Task, taskTarget } from './task.ts';

export interface PlacedPort {
  readonly place: Place;
  readonly port: Port;
}

/** The farthest of the places counts. */
export function distanceOf(places: readonly Place[]): Distance {
  if (places.every(({ address }) => isLoopback(address))) return 'loopback';
  return places.every(({ address }) => isOwnNetwork(address)) ? 'private' : 'public';
}

/** An outcome with all that its check says. */
export function findingOf(outcome: Outcome, task: Task, at: string): Finding {
  const { check, confidence, severity, seen, controls, details, evidence } = outcome;
  return {
    id: check.id,
    title: check.title,
    group: groupOf(check),
    level: task.probe.level,
    severity,
    confidence,
    // Replies stand in it: whatever shows a report, nothing in it steers a terminal.
    seen: visible(seen, 600),
    means: check.means,
    doesNotMean: check.doesNotMean,
    rfc: check.rfc,
    target: taskTarget(task),
    controls,
    details,
    evidence,
    product: 'unknown',
    cures: check.cures,
    at,
  };
}

/**
 * The fingerprint of each port puts its product's cure first; where there is none, that is said:
 * nobody should take the lines of another server for his own.
 */
export function withProducts(findings: readonly Finding[]): readonly Finding[] {
  const products = new Map(
    findings.flatMap(({ id, target, details }): [string, string][] =>
      id === 'fingerprint.product' && typeof details['product'] === 'string'
        ? [[keyOf(target), details['product']]]
        : [],
    ),
  );
  return findings.map((finding) => {
    const told = products.get(keyOf(finding.target));
    const product = PRODUCTS.find((one) => one === told);
    if (product === undefined) return finding;
    const own = finding.cures.filter((cure) => cure.product === product);
    const rest = finding.cures.filter((cure) => cure.product !== product);
    return {
      ...finding,
      product,
      cures: [...(own.length > 0 ? own : missing(product, rest)), ...rest],
    };
  });
}

/** What to say to the owner of a server for which no cure is known, if others have one. */
function missing(product: Product, rest: readonly Cure[]): readonly Cure[] {
  if (rest.every((cure) => cure.product === 'dns')) return [];
  const lines = [`No setting of ${productName(product)} is known to us that ends it.`];
  return [{ product, lines }];
}

/** A service with the product that the fingerprint told. */
export function reported(service: Service, findings: readonly Finding[]): ReportedService {
  const { host, endpoint, protocol, tls, role, greeting, capabilities } = service;
  const { address, port } = endpoint;
  const key = keyOf({ address, port });
  const print = findings.find(
    ({ id, target }) => id === 'fingerprint.product' && keyOf(target) === key,
  );
  const { product, version } = print?.details ?? {};
  return {
    host,
    address,
    port,
    protocol,
    tls,
    role,
    product: typeof product === 'string' ? product : 'unknown',
    productVersion: typeof version === 'string' ? version : undefined,
    greeting: visible(greeting, 300),
    capabilities: capabilities.slice(0, 100).map((line) => visible(line, 200)),
  };
}

function keyOf({ address, port }: Pick<Target, 'address' | 'port'>): string {
  return `${address} ${port}`;
}

/** Ports without a mail service. */
export function portsOf(ports: readonly PlacedPort[]) {
  const count = (kind: Port['kind']) => ports.filter(({ port }) => port.kind === kind).length;
  return {
    others: ports.flatMap(({ place, port }) =>
      port.kind === 'other'
        ? [{ host: place.host, port: port.port, why: visible(port.why, 300) }]
        : [],
    ),
    closedPorts: count('closed'),
    filteredPorts: count('filtered'),
  };
}

/** Where we stood, and what that may have changed. */
export function vantageOf({ places, options: { source } }: AuditRequest): Vantage {
  const here = distanceOf(places);
  if (source !== undefined) return { source, note: `connections came from ${source}` };
  const note =
    here === 'public'
      ? 'connections came from the address that the system chose'
      : `connections came from ${here === 'loopback' ? 'this machine' : 'a private network'}: ` +
        'servers often trust such clients, strangers may see other answers (--source)';
  return { source, note };
}

/** Enough to ask again. */
export function replayOf({ places, domains, level, options }: AuditRequest): Report['request'] {
  return { places, domains, level, source: options.source, selectors: options.selectors };
}
