/** Domains, mailboxes and aliases of a Postfix, from its lists and plain tables. */

import { formatAddress, parseAddress } from '#base/address.ts';
import { parseDomain } from '#base/domain.ts';
import { parseAliases, parseTableName } from '#audit/configuration/postfix/tables.ts';
import { splitList } from '#audit/configuration/postfix/values.ts';
import type { Collection } from './collect.ts';
import type { People } from './imported.ts';

interface Writable extends People {
  readonly domains: Set<string>;
  readonly accounts: Set<string>;
  readonly aliases: Map<string, readonly string[]>;
  readonly catchAlls: Map<string, string>;
}

const DOMAIN_LISTS = ['mydestination', 'virtual_mailbox_domains', 'virtual_alias_domains'] as const;
const HUMAN_UID = 1_000;
const NOBODY_UID = 65_534;

/** Who has mail there, as far as the file and its plain tables tell. */
export function takePeople(into: Collection): People {
  const people: Writable = {
    domains: new Set(),
    accounts: new Set(),
    aliases: new Map(),
    catchAlls: new Map(),
  };
  for (const parameter of DOMAIN_LISTS) takeDomains(parameter, into, people);
  const home = homeDomain(into, people);
  takeMailboxes(into, people);
  if (home !== undefined) takeSystemUsers(home, into, people);
  takeVirtualAliases(home, into, people);
  if (home !== undefined) takeLocalAliases(home, into, people);
  if (into.values.given('relay_domains') && into.values.list('relay_domains').length > 0) {
    into.leave('relay_domains', 'mail is taken for domains that live here, not for others');
  }
  return people;
}

function takeDomains(parameter: string, into: Collection, people: Writable): void {
  const given = into.values.given(parameter);
  if (!given && parameter !== 'mydestination') return;
  for (const word of into.values.list(parameter)) {
    const names = word.includes(':/') ? into.table(parameter, word).map(({ key }) => key) : [word];
    for (const name of names) {
      const domain = parseDomain(name);
      if (domain === undefined || !domain.includes('.')) {
        if (given) into.leave(parameter, 'is no domain that others could write to', name);
      } else if (!domain.startsWith('localhost.')) {
        people.domains.add(domain);
        into.note(parameter, `the domain ${domain}`);
      }
    }
  }
}

/** Where local users live: myorigin (which may name a file) if it is one of the domains. */
function homeDomain(into: Collection, people: People): string | undefined {
  const written = into.values.text('myorigin') ?? '';
  const name = written.startsWith('/') ? into.text('myorigin', written)?.trim() : written;
  const domain = parseDomain(name ?? '');
  if (domain !== undefined && people.domains.has(domain)) {
    if (into.values.given('myorigin')) into.set('myorigin', 'myorigin', domain);
    return domain;
  }
  const host = into.values.text('myhostname') ?? '';
  if (people.domains.has(host)) return host;
  return [...people.domains][0];
}

function takeMailboxes(into: Collection, people: Writable): void {
  const parameter = 'virtual_mailbox_maps';
  for (const name of into.values.list(parameter)) {
    for (const { key } of into.table(parameter, name)) {
      const address = parseAddress(key);
      if (address === undefined) into.leave(parameter, 'is no address of one mailbox', key);
      else people.accounts.add(formatAddress(address));
    }
  }
  if (people.accounts.size > 0) into.note(parameter, `${people.accounts.size} accounts`);
}

/** Users of the system have mail in mydestination, unless local_recipient_maps says otherwise. */
function takeSystemUsers(home: string, into: Collection, people: Writable): void {
  const maps = into.values.text('local_recipient_maps') ?? '';
  if (!maps.includes('passwd.byname')) return;
  const text = into.text('local_recipient_maps', '/etc/passwd');
  let count = 0;
  for (const line of text?.split('\n') ?? []) {
    const [name = '', , uid] = line.split(':');
    const address = parseAddress(`${name}@${home}`);
    if (Number(uid) < HUMAN_UID || Number(uid) >= NOBODY_UID || address === undefined) continue;
    people.accounts.add(formatAddress(address));
    count += 1;
  }
  if (count > 0) into.note('local_recipient_maps', `${count} accounts from the system's users`);
}

function takeVirtualAliases(home: string | undefined, into: Collection, people: Writable): void {
  const names = ['virtual_alias_maps', 'virtual_maps'].filter((name) => into.values.given(name));
  for (const parameter of names) {
    for (const table of into.values.list(parameter)) {
      for (const { key, value } of into.table(parameter, table)) {
        takeAlias(parameter, key, value, home, into, people);
      }
    }
  }
}

/** alias_maps: names at home; programs, files and includes are not carried over. */
function takeLocalAliases(home: string, into: Collection, people: Writable): void {
  for (const name of into.values.list('alias_maps')) {
    const table = parseTableName(name);
    const text = table === undefined ? undefined : into.text('alias_maps', table.path);
    for (const { key, value } of parseAliases(text ?? '')) {
      takeAlias('alias_maps', `${key}@${home}`, value, home, into, people);
    }
  }
}

function takeAlias(
  parameter: string,
  key: string,
  value: string,
  home: string | undefined,
  into: Collection,
  people: Writable,
): void {
  const qualified = (name: string): string =>
    name.includes('@') || home === undefined ? name : `${name}@${home}`;
  const targets: string[] = [];
  for (const word of splitList(value)) {
    const target = parseAddress(qualified(word));
    if (target === undefined || /^[|/:"]/.test(word)) {
      into.leave(parameter, 'an alias leads to addresses only', `${key} -> ${word}`);
    } else targets.push(formatAddress(target));
  }
  if (targets.length === 0) return;
  if (key.startsWith('@')) return takeCatchAll(parameter, key, targets, into, people);
  const address = parseAddress(qualified(key));
  if (address === undefined) return into.leave(parameter, 'is no address', key);
  const name = formatAddress(address);
  const others = targets.filter((target) => target !== name);
  if (others.length === 0) return;
  people.aliases.set(name, others.length < targets.length ? targets : others);
  into.note(parameter, `the alias ${name}`);
}

function takeCatchAll(
  parameter: string,
  key: string,
  targets: readonly string[],
  into: Collection,
  people: Writable,
): void {
  const domain = parseDomain(key.slice(1));
  const [only, second] = targets;
  if (domain === undefined || only === undefined || second !== undefined) {
    return into.leave(parameter, 'a catch-all leads to one address', key);
  }
  people.catchAlls.set(domain, only);
  into.note(parameter, `the catch-all of ${domain}`);
}
