/** This host's default gateways: behind them translated connections seem to come from one address. */

import { readFileSync } from 'node:fs';
import { normalAddress } from './hosts.ts';

const LINES = 10_000;

/** From Linux' routing tables; elsewhere, or when they cannot be read, none. */
export function defaultGateways(read: (file: string) => string = readTable): readonly string[] {
  return [
    ...fromIpv4Routes(read('/proc/net/route')),
    ...fromIpv6Routes(read('/proc/net/ipv6_route')),
  ];
}

/** Columns: interface, destination, gateway ...; numbers are hexadecimal, octets reversed. */
function fromIpv4Routes(table: string): string[] {
  const found: string[] = [];
  for (const line of table.split('\n').slice(1, LINES)) {
    const [, destination, gateway] = line.split('\t');
    if (destination !== '00000000' || gateway === undefined || gateway === '00000000') continue;
    if (!/^[0-9A-F]{8}$/i.test(gateway)) continue;
    const octets = gateway.match(/../g) ?? [];
    found.push(
      octets
        .toReversed()
        .map((octet) => Number.parseInt(octet, 16))
        .join('.'),
    );
  }
  return [...new Set(found)];
}

/** Columns: destination, its prefix length, source, its prefix length, next hop ... */
function fromIpv6Routes(table: string): string[] {
  const found: string[] = [];
  for (const line of table.split('\n').slice(0, LINES)) {
    const [destination, bits, , , hop] = line.split(/ +/);
    if (destination === undefined || !/^0{32}$/.test(destination) || bits !== '00') continue;
    if (hop === undefined || !/^[0-9a-f]{32}$/i.test(hop) || /^0{32}$/.test(hop)) continue;
    const address = normalAddress((hop.match(/.{4}/g) ?? []).join(':'));
    if (address !== undefined) found.push(address);
  }
  return [...new Set(found)];
}

function readTable(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
