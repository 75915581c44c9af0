/** Rows of the directory: who exists, who points to whom; each change is seen by all processes. */

import { addressKey, parseAddress } from '#base/address.ts';
import type { Step } from './step.ts';

/** The domain of an address key: what follows its last `@`. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

/** An address as it is compared; text that is no address in lower case. */
export function targetKey(address: string): string {
  const parsed = parseAddress(address);
  return parsed === undefined ? address.toLowerCase() : addressKey(parsed);
}

export function hasDomain(step: Step, name: string): boolean {
  return step.sql.row('SELECT 1 FROM domains WHERE name = ?', name) !== undefined;
}

export function hasAccount(step: Step, address: string): boolean {
  return step.sql.row('SELECT 1 FROM accounts WHERE address = ?', address) !== undefined;
}

export function hasAlias(step: Step, address: string): boolean {
  return step.sql.row('SELECT 1 FROM aliases WHERE address = ?', address) !== undefined;
}

/** Who sends mail on to an address, for people; undefined when nobody does. */
export function pointerTo(step: Step, address: string): string | undefined {
  const alias = step.sql.row<[string]>(
    'SELECT alias FROM alias_targets WHERE target_key = ? LIMIT 1',
    address,
  )?.[0];
  if (alias !== undefined) return `alias ${alias}`;
  const domain = step.sql.row<[string]>(
    'SELECT name FROM domains WHERE catch_all_key = ? LIMIT 1',
    address,
  )?.[0];
  return domain === undefined ? undefined : `catch-all of ${domain}`;
}

/** Call after each change: caches of the directory, here and elsewhere, then read again. */
export function directoryChanged(step: Step): void {
  step.sql.run(`UPDATE meta SET value = value + 1 WHERE name = 'directory'`);
  step.effects.directory = true;
}
