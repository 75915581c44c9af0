/** Where an address leads: mailboxes here, addresses elsewhere, or nowhere. */

import type { Address } from '#base/address.ts';
import { addressKey, formatAddress, parseAddress } from '#base/address.ts';
import type { Domain } from '#base/brand.ts';
import { isAddressLiteral } from '#base/domain.ts';
import type { Account, Directory } from '#store/directory.ts';
import { ADDRESS_OPTIONS } from './options.ts';
import type { AddressOptions } from './options.ts';
import { splitDetail } from './subaddress.ts';

/** `unknown` and `too-many` stand alone: then nothing is delivered anywhere. */
export type Target =
  /** `detail`: what followed the delimiter in the address (RFC 5233), case kept. */
  | { readonly kind: 'local'; readonly account: Account; readonly detail: string | undefined }
  | { readonly kind: 'remote'; readonly address: Address }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'too-many' };

/** What resolving reads of the directory. */
export type AddressBook = Pick<Directory, 'domains' | 'domain' | 'accounts' | 'account' | 'alias'>;

/** RFC 5321 4.5.1, RFC 2142 4: must always reach somebody. */
const ALWAYS = new Set(['postmaster', 'abuse']);

/**
 * Follows accounts, aliases (nested, each address once, so loops end), subaddresses, catch-alls
 * and the addresses that always work. An address of another domain is its own remote target.
 * Each mailbox and each remote address comes once; the list is never empty.
 */
export function resolve(
  address: Address,
  directory: AddressBook,
  options: Partial<AddressOptions> = {},
): readonly Target[] {
  return new Walk(directory, { ...ADDRESS_OPTIONS, ...options }).from(address);
}

/** An address on its way, with the detail that it inherits from an alias. */
interface Step {
  readonly address: Address;
  readonly detail: string | undefined;
}

/** One recipient's way through the directory. */
class Walk {
  readonly #directory: AddressBook;
  readonly #options: AddressOptions;
  readonly #targets = new Map<string, Target>();
  readonly #seen = new Set<string>();
  readonly #open: Step[] = [];
  #next = 0;

  constructor(directory: AddressBook, options: AddressOptions) {
    this.#directory = directory;
    this.#options = options;
  }

  from(address: Address): readonly Target[] {
    this.#add(address, undefined);
    this.#run();
    const first = this.#open[0]?.address;
    if (this.#targets.size === 0 && first !== undefined) this.#rescue(first);
    if (this.#tooMany()) return [{ kind: 'too-many' }];
    return this.#targets.size === 0 ? [{ kind: 'unknown' }] : [...this.#targets.values()];
  }

  #run(): void {
    for (; this.#next < this.#open.length && !this.#tooMany(); this.#next += 1) {
      const step = this.#open[this.#next];
      if (step !== undefined) this.#follow(step);
    }
  }

  /** An alias, a catch-all or a setting for postmaster that leads nowhere is no excuse. */
  #rescue(address: Address): void {
    if (!this.#always(address)) return;
    this.#run();
    if (this.#targets.size === 0) this.#arriveAtFirst(address.domain);
  }

  /** Notes an address that has not been met: what is remote has arrived, the rest is open. */
  #add(address: Address, detail: string | undefined): void {
    const local = asLocal(address, this.#directory, this.#options);
    const key = local === undefined ? formatAddress(address) : addressKey(local);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    if (local === undefined) this.#targets.set(key, { kind: 'remote', address });
    else this.#open.push({ address: local, detail });
  }

  #follow({ address, detail }: Step): void {
    for (const name of namesOf(address, this.#options)) {
      const key = `${name.local.toLowerCase()}@${address.domain}`;
      const account = this.#directory.account(key);
      if (account !== undefined) {
        this.#arrive(account, name.detail ?? detail);
        return;
      }
      const alias = this.#directory.alias(key);
      if (alias === undefined) continue;
      this.#addAll(alias.targets, name.detail ?? detail);
      return;
    }
    const catchAll = this.#directory.domain(address.domain)?.catchAll;
    if (catchAll === undefined) this.#always(address);
    else this.#addAll([catchAll], undefined);
  }

  #addAll(texts: readonly string[], detail: string | undefined): void {
    for (const text of texts) {
      if (this.#tooMany()) return;
      // Text that is no address was written into the directory by mistake: it leads nowhere.
      const address = parseAddress(text);
      if (address !== undefined) this.#add(address, detail);
    }
  }

  /** Sends what nobody was named for to who is; false when nobody has to get it. */
  #always(address: Address): boolean {
    const { local } = splitDetail(address.local, this.#options.delimiters);
    if (!ALWAYS.has(local.toLowerCase())) return false;
    const { postmaster } = this.#options;
    if (postmaster === undefined) this.#arriveAtFirst(address.domain);
    else this.#addAll([postmaster], undefined);
    return true;
  }

  /** The first account of the domain, else the first of all. */
  #arriveAtFirst(domain: Domain): void {
    const accounts = this.#directory.accounts();
    const own = accounts.find((account) => account.address.endsWith(`@${domain}`));
    const account = own ?? accounts[0];
    if (account !== undefined) this.#arrive(account, undefined);
  }

  /** The first address is not counted: it is the recipient itself. */
  #tooMany(): boolean {
    return this.#seen.size > this.#options.maxAddresses + 1;
  }

  #arrive(account: Account, detail: string | undefined): void {
    const key = `#${account.id}`;
    if (!this.#targets.has(key)) this.#targets.set(key, { kind: 'local', account, detail });
  }
}

/** The address with a domain that is looked up here, or undefined when it lies elsewhere. */
function asLocal(
  address: Address,
  directory: AddressBook,
  options: AddressOptions,
): Address | undefined {
  if (directory.domain(address.domain) !== undefined) return address;
  if (!isAddressLiteral(address.domain) || !options.isOwnLiteral(address.domain)) return undefined;
  const domain = options.defaultDomain ?? directory.domains()[0]?.name;
  return domain === undefined ? address : { ...address, domain };
}

/** The whole local part first, then what stands before the delimiter. */
function namesOf(
  address: Address,
  options: AddressOptions,
): { local: string; detail: string | undefined }[] {
  const whole = { local: address.local, detail: undefined };
  const split = splitDetail(address.local, options.delimiters);
  return split.detail === undefined ? [whole] : [whole, split];
}
