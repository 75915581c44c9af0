/** What administrators name on the command line: addresses, domains, queue ids; checked with words. */

import { addressKey, parseAddress } from '#base/address.ts';
import type { Address } from '#base/address.ts';
import type { Domain } from '#base/brand.ts';
import { parseDomain } from '#base/domain.ts';
import type { Account, Directory } from '#store/directory.ts';
import { nearest } from '#base/nearest.ts';
import { hostOf, normalAddress, splitPort } from './configuration/hosts.ts';
import { CommandError, EXIT } from './exit.ts';
import { harmless, type Io } from './io.ts';

/** Text to an address; a CommandError says what is wrong with it. */
export function namedAddress(text: string): Address {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  const cause = text.includes('@') ? 'is no mail address' : 'is no mail address: it has no @';
  throw new CommandError(EXIT.data, `"${text}" ${cause}`, 'Write it like alice@example.org.');
}

/** Text to the key under which an address is kept here. */
export function namedKey(text: string): string {
  return addressKey(namedAddress(text));
}

/** Text to a domain. */
export function namedDomain(text: string): Domain {
  const domain = parseDomain(text);
  if (domain !== undefined) return domain;
  throw new CommandError(EXIT.data, `"${text}" is no domain name`, 'Write it like example.org.');
}

/** A host, by name or IP address in normal form, and its port where one was named. */
export interface NamedPlace {
  readonly host: string;
  readonly port: number | undefined;
}

/** `mail.example.org`, `mail.example.org:25`, `192.0.2.1`, `::1`, `[::1]:25`; port 0 is none. */
export function namedPlace(text: string, what = 'server', cure = PLACE): NamedPlace {
  const bare = normalAddress(text);
  if (bare !== undefined) return { host: bare, port: undefined };
  const split = splitPort(text);
  const host = split === undefined ? undefined : hostOf(split.host);
  if (split !== undefined && host !== undefined && split.port !== 0) {
    return { host, port: split.port };
  }
  throw new CommandError(EXIT.usage, `"${text}" is no ${what}`, cure);
}

const PLACE = 'Write it like mail.example.org, mail.example.org:25 or [::1]:25.';

/** The account of that address; suggests the nearest one when there is none. */
export function existingAccount(directory: Directory, text: string): Account {
  const key = namedKey(text);
  const account = directory.account(key);
  if (account !== undefined) return account;
  const near = nearest(
    key,
    directory.accounts().map(({ address }) => address),
  );
  const cure = near === undefined ? 'See `postern account list`.' : `Did you mean ${near}?`;
  throw new CommandError(EXIT.noUser, `there is no account ${key}`, cure);
}

/** Says on standard error which addresses of our own domains nobody has: mail for them is refused. */
export function warnOfNobody(io: Io, directory: Directory, addresses: readonly string[]): void {
  for (const address of addresses) {
    const domain = parseAddress(address)?.domain;
    const local = domain === undefined ? undefined : directory.domain(domain);
    const caught = local?.catchAll;
    if (local === undefined || (caught !== undefined && caught !== address)) continue;
    if (directory.account(address) !== undefined || directory.alias(address) !== undefined)
      continue;
    io.warn(`postern: ${harmless(address)} is neither an account nor an alias yet.\n`);
  }
}

/** The error for a domain that is not one of ours. */
export function noSuchDomain(directory: Directory, name: string): CommandError {
  const near = nearest(
    name,
    directory.domains().map((domain) => domain.name),
  );
  const cure =
    near === undefined ? `Add it: \`postern domain add ${name}\`.` : `Did you mean ${near}?`;
  return new CommandError(EXIT.noUser, `${name} is not a domain of this server`, cure);
}
