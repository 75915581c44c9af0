/** Which name servers to ask: from options, or from this machine's resolv.conf. */

import { readFileSync } from 'node:fs';
import { Failure } from '#base/failure.ts';
import type { Endpoint } from '#base/world.ts';
import { isAddress, normalAddress } from '../endpoint.ts';

const DNS_PORT = 53;
const SERVERS = 8;

/**
 * `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `[2001:db8::1]:5353` to an Endpoint. Fails with
 * `bad-name-server`, permanently.
 */
export function parseServer(text: string): Endpoint {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+))(?::(\d{1,5}))?$/.exec(text);
  const address = found?.[1] ?? found?.[2] ?? text;
  const port = found?.[3] === undefined ? DNS_PORT : Number(found[3]);
  if (!isAddress(address) || port < 1 || port > 65_535) {
    const cure = 'write an IP address, with a port if need be: 127.0.0.1:5353';
    throw Failure.permanent('bad-name-server', `"${text}" is no name server: ${cure}`);
  }
  return { address: normalAddress(address), port };
}

/** The name servers of resolv.conf(5); 127.0.0.1 where it names none, as the C library does. */
export function systemServers(file = '/etc/resolv.conf'): Endpoint[] {
  const servers: Endpoint[] = [];
  for (const line of readText(file).split('\n')) {
    const [word, address] = line.trim().split(/[ \t]+/, 2);
    if (word !== 'nameserver' || address === undefined) continue;
    const [bare = ''] = address.split('%');
    if (isAddress(bare)) servers.push({ address: normalAddress(bare), port: DNS_PORT });
  }
  if (servers.length === 0) servers.push({ address: '127.0.0.1', port: DNS_PORT });
  return servers.slice(0, SERVERS);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(0, 65_536);
  } catch {
    return '';
  }
}
