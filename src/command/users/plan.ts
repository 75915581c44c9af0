/** What the command line of `postern users` asks for, and the permission to do it. */

import { parseUtf8 } from '#base/bytes.ts';
import type { Network, World } from '#base/world.ts';
import { Budget, budgetFor } from '#audit/safety/budget.ts';
import { GuardedNetwork } from '#audit/safety/guard.ts';
import { AuditPermit } from '#audit/safety/permit.ts';
import { Recipients } from '#audit/safety/recipients.ts';
import type { Asking, Oracle } from '#audit/users/oracle.ts';
import * as oracles from '#audit/users/oracles/index.ts';
import { dial } from '#audit/wire/dial.ts';
import { domainOf } from '#audit/users/domain.ts';
import type { Context } from '../command.ts';
import { argument, option } from '../command.ts';
import { CommandError, EXIT } from '../exit.ts';
import * as read from '../audit/options.ts';
import { targeted } from '../audit/target.ts';

export interface UsersPlan {
  readonly asking: Asking;
  readonly oracles: readonly Oracle[];
  readonly names: readonly string[];
  readonly knownUser: string | undefined;
  readonly parallel: number | undefined;
  readonly timing: boolean;
  /** What was asked and from where, for the report. */
  readonly target: { readonly host: string; readonly address: string; readonly port: number };
  readonly source: string | undefined;
}

type UsersWorld = Pick<World, 'clock' | 'network' | 'random' | 'resolver'>;

const PORTS: Readonly<Record<Oracle['name'], number>> = {
  vrfy: 25,
  expn: 25,
  rcpt: 25,
  auth: 587,
  imap: 143,
  pop3: 110,
};
const IMPLICIT = new Set([465, 993, 995]);
const NAME = /^[^\x00-\x20\x7f<>()[\]\\,;:"]{1,128}$/;
const NAMES_BYTES = 16_777_216;
/** For the connection that finds out the domain: who does not answer it is asked twice again. */
const FIRST_MS = 7_000;

/** The plan, or why it is not permitted. */
export async function usersPlan(
  context: Context,
  world: UsersWorld,
): Promise<UsersPlan | { readonly refused: string }> {
  const chosen = oraclesOf(context);
  const names = await namesOf(context);
  const knownUser = read.knownUserOf(context);
  const source = read.sourceOf(context);
  const [given] = read.domainsOf(context);
  const usual = PORTS[chosen[0]?.name ?? 'rcpt'];
  const { places, domains } = await targeted(argument(context, 'target'), [usual], world.resolver);
  const [place] = places;
  const port = place?.ports[0];
  if (place === undefined || port === undefined) throw read.usage('the target has no address');
  const { host, address } = place;
  const permission = await AuditPermit.ask(
    {
      host: domains[0] ?? host,
      addresses: [address],
      level: 'active',
      authorisedBy: option(context, 'authorised-by'),
      now: context.now(),
    },
    world.resolver,
  );
  if (permission.kind === 'refused') return { refused: permission.why };
  const tls = isImplicit(context, port) ? { tls: { name: host } } : {};
  const how = { ...tls, ...(source === undefined ? {} : { source }) };
  const asked: Omit<Asking, 'dial' | 'domain'> = {
    clock: world.clock,
    random: world.random,
    heloName: read.heloOf(context),
    serverName: host,
    replyMs: numberOf(context, 'reply-timeout', 10) * 1_000,
  };
  const open = (network: Network, more: { readonly timeoutMs?: number } = {}) => {
    return () => dial({ clock: world.clock, network }, { address, port }, { ...how, ...more });
  };
  const first = { ...asked, domain: '', dial: open(world.network, { timeoutMs: FIRST_MS }) };
  const domain = given ?? domains[0] ?? (await foundDomain(first, chosen, names));
  const own = [host, domain, ...domains, ...domainsIn(names)];
  const guarded = guardedNetwork(world, permission.permit, address, own);
  return {
    asking: { ...asked, domain, dial: open(guarded) },
    oracles: chosen,
    names,
    knownUser,
    parallel: context.options.has('parallel') ? numberOf(context, 'parallel', 10) : undefined,
    timing: context.options.has('timing'),
    target: { host, address, port },
    source,
  };
}

/** Only the target, only its recipients, and no content at all. */
function guardedNetwork(
  world: UsersWorld,
  permit: AuditPermit,
  address: string,
  own: readonly string[],
): Network {
  const limits = budgetFor('intrusive', groundOf(permit, address));
  const budget = new Budget({ ...limits, messages: 0 }, world.clock);
  const known = own.filter((name) => name !== '');
  const recipients = new Recipients({ own: known, addresses: [address], canary: undefined });
  return new GuardedNetwork(world.network, { permit, budget, recipients });
}

/** Names without a domain need one at RCPT: the one whose postmaster the server takes. */
async function foundDomain(
  asking: Asking,
  chosen: readonly Oracle[],
  names: readonly string[],
): Promise<string> {
  const needed = chosen.some(({ name }) => name === 'rcpt' || name === 'vrfy' || name === 'expn');
  if (!needed || names.every((name) => name.includes('@'))) return '';
  return (await domainOf(asking)) ?? '';
}

function oraclesOf(context: Context): readonly Oracle[] {
  const all: readonly Oracle[] = Object.values(oracles);
  return (read.listOf(context, 'mode') ?? ['rcpt']).map((word) => {
    const found = all.find(({ name }) => name === word.toLowerCase());
    if (found !== undefined) return found;
    const known = all.map(({ name }) => name).join(', ');
    throw read.usage(`--mode takes ${known}, not "${word}"`);
  });
}

async function namesOf(context: Context): Promise<readonly string[]> {
  const names =
    option(context, 'names') === '-' ? await namesFromInput(context) : read.namesOf(context);
  if (names.length === 0) throw read.usage('--names is missing', 'Name a file, or - for input.');
  const odd = names.find((name) => !NAME.test(name));
  if (odd !== undefined) throw read.usage(`"${odd.slice(0, 80)}" is no user name`);
  return names;
}

async function namesFromInput(context: Context): Promise<string[]> {
  const text = parseUtf8(await context.io.readAll(NAMES_BYTES));
  if (text === undefined) throw new CommandError(EXIT.data, 'the names are not UTF-8');
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return [...new Set(lines.filter((line) => line !== '' && !line.startsWith('#')))];
}

/** Domains that the names themselves bring: theirs is the server that is asked. */
function domainsIn(names: readonly string[]): string[] {
  return [...new Set(names.flatMap((name) => name.split('@').slice(1)))];
}

function groundOf(permit: AuditPermit, address: string): 'loopback' | 'private' | 'public' {
  if (permit.ground.kind !== 'own-network') return 'public';
  return address.startsWith('127.') || address === '::1' ? 'loopback' : 'private';
}

function isImplicit(context: Context, port: number): boolean {
  const asked = option(context, 'tls');
  if (asked === undefined) return IMPLICIT.has(port);
  if (asked === 'implicit' || asked === 'starttls') return asked === 'implicit';
  throw read.usage(`--tls takes implicit or starttls, not "${asked}"`);
}

function numberOf(context: Context, name: string, usual: number): number {
  const text = option(context, name);
  if (text === undefined) return usual;
  const value = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (value < 1) throw read.usage(`--${name} takes a number from 1, not "${text}"`);
  return value;
}
