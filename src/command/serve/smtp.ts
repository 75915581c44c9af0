/** The SMTP family of listeners: what the settings say for 25, 587, 465 and LMTP. */

import type { World } from '#base/world.ts';
import { SMTP_LIMITS, type SmtpServerOptions } from '#protocol/smtp/server/options.ts';
import type { AddressOptions } from '#policy/addresses/options.ts';
import type { Check } from '#policy/checks/check.ts';
import type { Tools } from '#policy/checks/tools.ts';
import type { Gate } from '#policy/gate.ts';
import { limitedGate } from '#policy/limits/limited-gate.ts';
import { makeGate } from '#policy/restrictions/gate.ts';
import { parseNetworks } from '#policy/restrictions/networks.ts';
import type { RestrictionList } from '#policy/restrictions/parse.ts';
import { parseRestrictions } from '#policy/restrictions/parse.ts';
import type { SmtpListener } from '#service/smtp/listener.ts';
import type { Store } from '#store/store.ts';
import type { Settings } from '../configuration/settings.ts';
import { CommandError, EXIT } from '../exit.ts';
import type { Guards } from './limits.ts';
import { domainOf } from './site.ts';
import { accessTables } from './tables.ts';

export type SmtpMode = SmtpListener['mode'];

const NONCE_OCTETS = 24;

/** The listener of a mode; `name` is for logs and the ledger. */
export function smtpListener(
  mode: SmtpMode,
  name: string,
  settings: Settings,
  parts: {
    readonly world: World;
    readonly store: Store;
    readonly addresses: Partial<AddressOptions>;
    readonly guards: Guards;
    readonly startTls: boolean;
  },
): SmtpListener {
  return {
    name,
    mode,
    machine: machineOptions(mode, settings, parts),
    gate: gateOf(mode, settings, parts),
    sessionMs: settings.smtpd_session_time_limit,
    verifyForUsers: settings.verify_for_authenticated,
  };
}

function machineOptions(
  mode: SmtpMode,
  settings: Settings,
  parts: { readonly world: World; readonly store: Store; readonly startTls: boolean },
): SmtpServerOptions {
  const { world, store, startTls } = parts;
  const hostname = domainOf(settings.myhostname);
  const origin = settings.myorigin === undefined ? undefined : domainOf(settings.myorigin);
  return {
    hostname,
    origin,
    // A host need not be a mail domain: its postmaster is that of a domain that lives here.
    postmasterDomain: () => {
      const { directory } = store;
      if (directory.domain(hostname) !== undefined) return hostname;
      return origin ?? directory.domains()[0]?.name ?? hostname;
    },
    nonce: () => world.random.bytes(NONCE_OCTETS),
    mode,
    startTls,
    limits: {
      lineBytes: settings.line_length_limit,
      messageBytes: settings.message_size_limit,
      recipients: settings.smtpd_recipient_limit,
      commands: settings.smtpd_command_limit,
      errors: settings.smtpd_hard_error_limit,
      failedLogins: settings.smtpd_auth_failure_limit,
      idleMs: settings.smtpd_timeout,
      // Who is less patient with silence is not more patient with a trickle of content.
      dataIdleMs: Math.min(SMTP_LIMITS.dataIdleMs, settings.smtpd_timeout),
    },
  };
}

/**
 * Port 25 has the restrictions of the configuration. On submission they are fixed: whoever logged
 * in may send as himself to everywhere, nobody else to anywhere. LMTP takes local mail only.
 */
function gateOf(
  mode: SmtpMode,
  settings: Settings,
  parts: {
    readonly world: World;
    readonly store: Store;
    readonly addresses: Partial<AddressOptions>;
    readonly guards: Guards;
  },
): Gate {
  const { world, store, addresses, guards } = parts;
  const networks = parseNetworks(mode === 'smtp' ? settings.mynetworks : []);
  if (networks.kind !== 'networks') throw new Error('invariant broken: mynetworks was checked');
  const lists: Lists = mode === 'smtp' ? settings : { ...NO_LISTS, ...FIXED[mode] };
  const { clock, log } = world;
  const { greylist, written, open } = guards;
  const tools: Tools = { table: accessTables(clock, log), clock, greylist, written, open };
  const checks = (list: RestrictionList): readonly Check[] => {
    const parsed = parseRestrictions(lists[list], list, tools);
    if (parsed.kind === 'restrictions') return parsed.checks;
    const [first] = parsed.errors;
    throw new CommandError(EXIT.configuration, `${list} has "${first?.name}", which ${first?.why}`);
  };
  const gate = makeGate({
    directory: store.directory,
    addresses,
    mynetworks: networks.networks,
    clientRestrictions: checks('smtpd_client_restrictions'),
    heloRestrictions: checks('smtpd_helo_restrictions'),
    senderRestrictions: checks('smtpd_sender_restrictions'),
    recipientRestrictions: checks('smtpd_recipient_restrictions'),
    dataRestrictions: checks('smtpd_data_restrictions'),
  });
  // Whoever stands before LMTP has counted already, and is one address for the whole world.
  if (mode === 'lmtp') return gate;
  const { directory } = store;
  return limitedGate(gate, guards.limits, { mynetworks: networks.networks, directory });
}

type Lists = Readonly<Record<RestrictionList, readonly string[]>>;

const NO_LISTS: Lists = {
  smtpd_client_restrictions: [],
  smtpd_helo_restrictions: [],
  smtpd_sender_restrictions: [],
  smtpd_recipient_restrictions: [],
  smtpd_data_restrictions: [],
};

const FIXED: Readonly<Record<Exclude<SmtpMode, 'smtp'>, Partial<Lists>>> = {
  submission: {
    smtpd_sender_restrictions: ['reject_sender_login_mismatch', 'reject_non_fqdn_sender'],
    smtpd_recipient_restrictions: [
      'reject_non_fqdn_recipient',
      'permit_sasl_authenticated',
      'reject',
    ],
  },
  lmtp: {
    smtpd_recipient_restrictions: ['reject_unauth_destination'],
  },
};
