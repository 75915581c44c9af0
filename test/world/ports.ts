/** Ports that nobody listens on, for settings that must name one before the server starts. */

import { createServer, type AddressInfo, type Server } from 'node:net';

const TRIES = 20;

/** A port that was free a moment ago on each of the addresses; 127.0.0.1 when none is named. */
export async function freePort(...hosts: readonly string[]): Promise<number> {
  const [first = '127.0.0.1', ...others] = hosts;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const held = [await listen(first, 0)];
    const { port } = held[0]!.address() as AddressInfo;
    const more = await Promise.allSettled(others.map((host) => listen(host, port)));
    for (const one of more) if (one.status === 'fulfilled') held.push(one.value);
    await Promise.all(held.map((server) => new Promise((closed) => server.close(closed))));
    if (held.length === 1 + others.length) return port;
  }
  throw new Error(`no port is free on all of ${hosts.join(', ')}`);
}

function listen(host: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}
