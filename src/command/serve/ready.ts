/** What `--ready-file` says, as soon as every listener is up. */

import { writeWhole } from '../files.ts';
import type { DemoAccount } from './accounts.ts';
import type { OpenListener } from './opening.ts';

/** Everything that a person, a script or a test wants to know of a server that just started. */
export interface ReadyFacts {
  readonly domain: string;
  /** The PEM file that clients must trust; undefined: what their system trusts. */
  readonly ca: string | undefined;
  readonly accounts: readonly DemoAccount[];
  readonly listeners: readonly OpenListener[];
}

/** Writes it whole: whoever sees the file can read all of it. */
export function writeReady(file: string, facts: ReadyFacts): void {
  // Passwords are in it: for the owner's eyes only.
  writeWhole(file, `${JSON.stringify(readyValue(facts), undefined, 2)}\n`, 0o600);
}

/** The value; the first place of the first listener of each name. */
export function readyValue(facts: ReadyFacts): object {
  const listeners: Record<string, { readonly host: string; readonly port: number }> = {};
  for (const { row, places } of facts.listeners) {
    const [first] = places;
    if (first === undefined || listeners[row.name] !== undefined) continue;
    listeners[row.name] = { host: reachable(first.address), port: first.port };
  }
  return {
    domain: facts.domain,
    ca: facts.ca ?? null,
    accounts: facts.accounts.map(({ address, password }) => ({
      address,
      password: password?.reveal() ?? null,
    })),
    listeners,
  };
}

/** An address to connect to: nobody can connect to "all of them". */
export function reachable(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}
