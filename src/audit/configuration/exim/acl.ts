/** What an ACL of Exim comes to, as far as its conditions are plain. */

import { isWide } from '../postfix/networks.ts';
import type { Condition, Statement } from './file.ts';
import { listOf } from './file.ts';

/** They do something, and hold nobody back (chapter 43.21 of Exim's specification). */
const MODIFIERS = new Set([
  'add_header',
  'continue',
  'control',
  'delay',
  'endpass',
  'log_message',
  'log_reject_target',
  'logwrite',
  'message',
  'queue',
  'remove_header',
  'set',
  'udpsend',
]);

/** The first statement by which everybody is accepted before anything asked for which domain. */
export function acceptsEverybody(statements: readonly Statement[]): Statement | undefined {
  for (const statement of statements) {
    if (asksForDomain(statement)) return undefined;
    if (statement.verb === 'accept' && statement.conditions.every(holdsNobodyBack))
      return statement;
    const always = statement.conditions.every(holdsNobodyBack);
    if (always && /^(?:deny|drop|defer|discard)$/.test(statement.verb)) return undefined;
  }
  return undefined;
}

/** Whether a stranger may be accepted: by a statement that does not name hosts or logins. */
export function mayAccept(statements: readonly Statement[]): boolean {
  for (const { verb, conditions } of statements) {
    const always = conditions.every(holdsNobodyBack);
    if (always && /^(?:deny|drop|defer|discard)$/.test(verb)) return false;
    const picked = conditions.some(
      (one) => /^(?:hosts|authenticated|encrypted)$/.test(one.name) && !holdsNobodyBack(one),
    );
    if (verb === 'accept' && !picked) return true;
  }
  return false;
}

function holdsNobodyBack({ name, value }: Condition): boolean {
  if (MODIFIERS.has(name)) return true;
  if (name === 'hosts') return listOf(value).some((one) => one === '*' || isWide(one));
  return name === 'domains' && listOf(value)[0] === '*';
}

/** `require domains = ...`, and a `deny` of domains that no local part narrows. */
function asksForDomain({ verb, conditions }: Statement): boolean {
  const names = new Set(conditions.map(({ name }) => name.replace('!', '')));
  const aboutDomain = conditions.some(
    (one) => /^!?domains$/.test(one.name) && !holdsNobodyBack(one),
  );
  if (verb === 'require') return aboutDomain || names.has('condition') || names.has('acl');
  if (!/^(?:deny|drop|defer)$/.test(verb)) return false;
  const narrowed = ['local_parts', 'senders', 'dnslists', 'verify', 'ratelimit', 'malware'];
  return (
    (aboutDomain || names.has('condition') || names.has('acl')) &&
    !narrowed.some((name) => names.has(name))
  );
}
