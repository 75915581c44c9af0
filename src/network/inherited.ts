/** Listening sockets that systemd opened for us (sd_listen_fds(3)): found by their addresses. */

import { readFileSync, readlinkSync } from 'node:fs';
import { normalIpv6 } from '#base/domain.ts';

/** Descriptors by place, `127.0.0.1 25` or `:: 25`. */
export type InheritedSockets = ReadonlyMap<string, number>;

const FIRST = 3;
const MOST = 100;
/** The state of a socket that listens, in /proc/net/tcp. */
const LISTENING = '0A';

/**
 * Reads which sockets came with the process: LISTEN_PID must be ours, LISTEN_FDS says how many.
 * Empty without them, and where /proc does not tell; never throws.
 */
export function inheritedSockets(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): InheritedSockets {
  const found = new Map<string, number>();
  if (env['LISTEN_PID'] !== `${pid}`) return found;
  const count = Math.min(MOST, Number(env['LISTEN_FDS'] ?? 0) || 0);
  try {
    const places = placesByInode();
    for (let fd = FIRST; fd < FIRST + count; fd += 1) {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
      const place = inode === undefined ? undefined : places.get(inode);
      if (place !== undefined) found.set(place, fd);
    }
  } catch {
    return found;
  }
  return found;
}

/** As the map above is keyed. */
export function placeKey(host: string, port: number): string {
  return `${normalIpv6(host) ?? host} ${port}`;
}

/** Places of all sockets that listen, by the number of their inode. */
function placesByInode(): ReadonlyMap<string, string> {
  const places = new Map<string, string>();
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readFileSync(file, 'latin1').split('\n').slice(1)) {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state !== LISTENING || inode === undefined) continue;
      const [address = '', port = ''] = local.split(':');
      places.set(inode, placeKey(addressOf(address), Number.parseInt(port, 16)));
    }
  }
  return places;
}

/** Words of four octets, each in the order of a little-endian machine (Linux on x86 and ARM). */
function addressOf(hex: string): string {
  const octets: number[] = [];
  for (let word = 0; word < hex.length; word += 8) {
    for (let at = 6; at >= 0; at -= 2) {
      octets.push(Number.parseInt(hex.slice(word + at, word + at + 2), 16));
    }
  }
  if (octets.length === 4) return octets.join('.');
  const groups: string[] = [];
  for (let at = 0; at < 16; at += 2) {
    groups.push((((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0)).toString(16));
  }
  return groups.join(':');
}
