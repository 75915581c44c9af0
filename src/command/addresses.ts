/** The addresses by which the world reaches this machine: those named, else its own. */

import { networkInterfaces } from 'node:os';
import { isOwnNetwork } from '#audit/safety/permit.ts';
import { networkOf, parseNetwork } from '#forensics/names/domains.ts';
import type { Context } from './command.ts';
import { option } from './command.ts';
import { normalAddress } from './configuration/hosts.ts';
import { CommandError, EXIT } from './exit.ts';

/** `--address`, with commas between; else the public ones of the network interfaces. */
export function publicAddresses(context: Context): readonly string[] {
  const named = option(context, 'address');
  if (named !== undefined) return [...new Set(named.split(',').map(namedAddress))];
  const all = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
  return all.map(({ address }) => address).filter(isPublicAddress);
}

/** Whether strangers may reach an address: it is of no private use, nobody shares it, no group. */
export function isPublicAddress(address: string): boolean {
  return !isOwnNetwork(address) && networkOf(address, NOBODYS) === undefined;
}

function namedAddress(text: string): string {
  const address = normalAddress(text.trim());
  if (address !== undefined) return address;
  const cure = 'Write 192.0.2.1 or 2001:db8::1.';
  throw new CommandError(EXIT.data, `--address: "${text}" is no IP address`, cure);
}

/** "This network", a provider's shared addresses, groups and what is kept for later. */
const NOBODYS = ['0.0.0.0/8', '100.64.0.0/10', '224.0.0.0/3', '::/128', 'ff00::/8'].flatMap(
  (text) => parseNetwork(text) ?? [],
);
