/** The Site that every service shares: agents and logins put together as the settings say. */

import type { Domain } from '#base/brand.ts';
import { literalAddress, parseDomain } from '#base/domain.ts';
import { Failure } from '#base/failure.ts';
import type { TlsIdentity, World } from '#base/world.ts';
import { makeIntake } from '#agents/intake.ts';
import type { Notifier } from '#agents/notify/notifier.ts';
import { makeNotifier, successNotice } from '#agents/notify/notifier.ts';
import type { AddressOptions } from '#policy/addresses/options.ts';
import { resolve } from '#policy/addresses/resolve.ts';
import { Logins } from '#policy/login/logins.ts';
import type { Site } from '#service/site.ts';
import type { Store } from '#store/store.ts';
import type { Settings } from '../configuration/settings.ts';
import { TRAP_ACCOUNT } from './demo.ts';

/** What composition starts from. */
export interface SiteParts {
  readonly settings: Settings;
  readonly world: World;
  readonly store: Store;
  readonly tls: TlsIdentity | undefined;
  readonly installationKey: Uint8Array;
  /** In the demo mail for other domains is trapped. */
  readonly demo: boolean;
}

/** Builds the site and the writer of notices; nothing runs yet. */
export function makeSite(
  parts: SiteParts,
  addresses: Partial<AddressOptions>,
): { readonly site: Site; readonly notifier: Notifier } {
  const { settings, world, store, installationKey } = parts;
  const { clock, random, resolver, log, metrics } = world;
  const { directory } = store;
  const hostname = domainOf(settings.myhostname);
  const notifier = makeNotifier({
    myhostname: hostname,
    random,
    returnBytes: settings.bounce_size_limit,
  });
  const intake = makeIntake({
    store,
    clock,
    random,
    resolve: (address) => resolve(address, directory, addresses),
    lifetimeMs: settings.maximal_queue_lifetime,
    noticeLifetimeMs: settings.bounce_queue_lifetime,
    trap: parts.demo ? { address: TRAP_ACCOUNT, mailbox: 'INBOX' } : undefined,
    noticeFailed: (thrown) =>
      log.event('error', 'notice-not-written', { why: Failure.from(thrown).message }),
    successNotice: (mail, to) => successNotice(notifier, intake.newId, mail, to, clock.now()),
  });
  const defaultDomain = originOf(settings);
  const site: Site = {
    clock,
    random,
    resolver,
    log,
    metrics,
    store,
    intake,
    hostname,
    tls: parts.tls,
    handshakeMs: settings.smtpd_tls_handshake_timeout,
    logins: new Logins({
      directory,
      clock,
      random,
      installationKey,
      ...(defaultDomain === undefined ? {} : { defaultDomain }),
    }),
  };
  return { site, notifier };
}

/** The rules of addresses; `ownAddresses` are those of this host's interfaces. */
export function addressRules(
  settings: Settings,
  ownAddresses: ReadonlySet<string>,
): Partial<AddressOptions> {
  return {
    delimiters: settings.recipient_delimiter,
    defaultDomain: originOf(settings),
    isOwnLiteral: (domain) => ownAddresses.has(literalAddress(domain) ?? ''),
    postmaster: settings.postmaster_address,
  };
}

function originOf({ myorigin }: Settings): Domain | undefined {
  return myorigin === undefined ? undefined : domainOf(myorigin);
}

/** A name that the settings checked already. */
export function domainOf(name: string): Domain {
  const domain = parseDomain(name);
  if (domain === undefined) throw new Error(`invariant broken: ${name} was checked`);
  return domain;
}
