/** Login names in the one form by which accounts are found and attempts are counted. */

import { addressKey, parseAddress } from '#base/address.ts';
import type { Domain } from '#base/brand.ts';
import { prepareSasl } from '#protocol/sasl/prepare.ts';
import type { Directory } from '#store/directory.ts';

/** Octets of a login name; an address has at most 254 (RFC 5321 4.5.3.1.3). */
const NAME_LENGTH = 320;

/**
 * A login name as an address key: prepared (RFC 4013), the domain in the form we compare, the
 * default or only domain put in when there is none. Undefined when it names no address; then
 * nobody can be meant.
 */
export function loginKey(
  login: string,
  directory: Pick<Directory, 'domains'>,
  defaultDomain?: Domain,
): string | undefined {
  const prepared = prepareSasl(login, NAME_LENGTH);
  if (prepared === undefined) return undefined;
  const domain = prepared.includes('@') ? undefined : (defaultDomain ?? onlyDomain(directory));
  const address = parseAddress(domain === undefined ? prepared : `${prepared}@${domain}`);
  return address === undefined ? undefined : addressKey(address);
}

/** The key under which attempts are counted when `loginKey` finds none: bounded, never real. */
export function strangeKey(login: string): string {
  return `?${login.slice(0, NAME_LENGTH)}`;
}

function onlyDomain(directory: Pick<Directory, 'domains'>): Domain | undefined {
  const [only, second] = directory.domains();
  return second === undefined ? only?.name : undefined;
}
