/** The Site that every service shares: agents and logins put together as the settings say. */

import type { Address } from '#base/address.ts';
import type { Domain } from '#base/brand.ts';
import { literalAddress, parseDomain } from '#base/domain.ts';
import { Failure } from '#base/failure.ts';
import type { TlsIdentity, World } from '#base/world.ts';
import { makeIntake } from '#agents/intake.ts';
import type { Notifier } from '#agents/notify/notifier.ts';
import { makeNotifier, successNotice } from '#agents/notify/notifier.ts';
import { NO_KEYS, type SigningKeys } from '#agents/sign/keys.ts';
import { Signer } from '#agents/sign/signer.ts';
import { VERIFY_NOBODY, type Verifier, makeVerifier } from '#agents/verify/verifier.ts';
import type { AddressOptions } from '#policy/addresses/options.ts';
import { resolve } from '#policy/addresses/resolve.ts';
import { Logins } from '#policy/login/logins.ts';
import { parseNetworks } from '#policy/restrictions/networks.ts';
import type { Site } from '#service/site.ts';
import { type Signatures, signaturesHere } from '#trust/signatures.ts';
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
  /** Who does the arithmetic of signatures; this thread where nobody is named. */
  readonly signatures?: Signatures | undefined;
  /** Told of each message that DMARC was evaluated of. */
  readonly evaluated?: Site['evaluated'];
  /** What is signed with; nothing where nothing is named. */
  readonly keys?: SigningKeys | undefined;
}

/** Builds the site and the writer of notices; nothing runs yet. */
export function makeSite(
  parts: SiteParts,
  addresses: Partial<AddressOptions>,
): { readonly site: Site; readonly notifier: Notifier } {
  const { settings, world, store, installationKey } = parts;
  const { clock, random, resolver, log, metrics } = world;
  const { directory } = store;
  const { keys = NO_KEYS, signatures = signaturesHere } = parts;
  const signer = new Signer({ keys, signatures, log });
  const targets = (address: Address) => resolve(address, directory, addresses);
  const hostname = domainOf(settings.myhostname);
  const plain = makeNotifier({
    myhostname: hostname,
    random,
    returnBytes: settings.bounce_size_limit,
  });
  const notifier: Notifier = {
    ...plain,
    notice: (id, facts) => {
      const mail = plain.notice(id, facts);
      return mail && signer.signNotice(mail, clock.now());
    },
  };
  const intake = makeIntake({
    store,
    clock,
    random,
    resolve: targets,
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
    leaves: (address) => !parts.demo && targets(address).some(({ kind }) => kind === 'remote'),
    verifier:
      parts.demo || !settings.verify_senders
        ? VERIFY_NOBODY
        : verifierOf(parts, hostname, signatures),
    evaluated: parts.evaluated,
    signer,
    hostname,
    tls: parts.tls,
    handshakeMs: settings.smtpd_tls_handshake_timeout,
    logins: new Logins({
      directory,
      clock,
      random,
      installationKey,
      renewal: {
        write: (account, instead, credentials) =>
          store.write('setCredentials', { account, credentials, instead }),
        failed: (thrown) =>
          log.event('warn', 'password-not-renewed', { why: Failure.from(thrown).message }),
      },
      ...(defaultDomain === undefined ? {} : { defaultDomain }),
    }),
  };
  return { site, notifier };
}

/** Verifies strangers' mail, all but that of mynetworks and of the clients named for it. */
function verifierOf(
  { settings, world }: SiteParts,
  hostname: Domain,
  signatures: Signatures,
): Verifier {
  const { clock, resolver } = world;
  const exempt = parseNetworks([...settings.mynetworks, ...settings.unverified_clients]);
  if (exempt.kind !== 'networks') throw new Error('invariant broken: networks were checked');
  return makeVerifier({ resolver, clock, hostname, signatures, exempt: exempt.networks });
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
