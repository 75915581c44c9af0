/** Mail on its way out: transfer and queue as the settings say. */

import { readFileSync, statSync } from 'node:fs';
import { parseUtf8 } from '#base/bytes.ts';
import { Secret } from '#base/secret.ts';
import type { World } from '#base/world.ts';
import type { Intake } from '#agents/mail.ts';
import type { Notifier } from '#agents/notify/notifier.ts';
import { QUEUE_OPTIONS, queueRunner } from '#agents/queue/runner.ts';
import type { QueueOptions, QueueRunner } from '#agents/queue/runner.ts';
import type { Transfer } from '#agents/transfer/job.ts';
import type { TransferOptions } from '#agents/transfer/options.ts';
import type { Reach } from '#agents/transfer/reach.ts';
import type { Smarthost } from '#agents/transfer/relayhost.ts';
import type { SecurityOptions } from '#agents/transfer/security/options.ts';
import { transfer } from '#agents/transfer/transfer.ts';
import type { Store } from '#store/store.ts';
import type { NextHop } from '../configuration/hosts.ts';
import type { Settings } from '../configuration/settings.ts';
import { CommandError, EXIT, explain } from '../exit.ts';

/** The parts of sending that run beside the sessions. */
export interface Sending {
  readonly queue: QueueRunner;
  readonly transfer: Transfer;
}

/** What protects mail on its way beside the settings themselves. */
export interface Protection extends Pick<SecurityOptions, 'sts' | 'counted'> {
  /** PEM of the only authorities to trust. */
  readonly authorities: string | undefined;
}

/** TLS from the first octet (RFC 8314 3.3). */
const SUBMISSIONS_PORT = 465;

/** Builds both; `queue.start` begins. */
export function makeSending(parts: {
  readonly settings: Settings;
  readonly world: World;
  readonly store: Store;
  readonly intake: Intake;
  readonly notify: Notifier;
  readonly ownAddresses: readonly string[];
  readonly protection?: Protection | undefined;
}): Sending {
  const { settings, world, store, intake, notify, ownAddresses } = parts;
  const { clock, log, random, metrics } = world;
  const way = transfer(transferOptions(settings, world, ownAddresses, parts.protection));
  const options = queueOptions(settings);
  const queue = queueRunner({
    store,
    intake,
    notify,
    clock,
    log,
    transfer: way,
    random,
    metrics,
    options,
  });
  return { queue, transfer: way };
}

/** What the settings say to the queue. */
export function queueOptions(settings: Settings): QueueOptions {
  return {
    ...QUEUE_OPTIONS,
    minimalBackoffMs: settings.minimal_backoff_time,
    maximalBackoffMs: settings.maximal_backoff_time,
    delayWarningMs: settings.delay_warning_time,
    slots: settings.smtp_connection_limit,
    slotsPerDomain: settings.smtp_destination_concurrency_limit,
    recipientsPerJob: settings.smtp_destination_recipient_limit,
    stopMs: settings.shutdown_timeout,
  };
}

/** What the settings say to transfer. */
export function transferOptions(
  settings: Settings,
  world: World,
  ownAddresses: readonly string[],
  protection?: Protection,
): TransferOptions {
  const { inet_protocols: family, relayhost } = settings;
  return {
    world,
    hostname: settings.myhostname,
    ownAddresses,
    ...reachOf(settings),
    port: settings.smtp_port,
    relayhost:
      relayhost === undefined ? undefined : withLogin(smarthost(relayhost, settings), settings),
    routes: new Map(
      [...settings.transport_maps].map(([domain, hop]) => [
        domain,
        hop === undefined ? 'direct' : smarthost(hop, settings),
      ]),
    ),
    families: family === 'all' ? ['ipv4', 'ipv6'] : [family],
    security: {
      level: settings.smtp_tls_security_level,
      levelMaps: settings.smtp_tls_policy_maps,
      sts: protection?.sts,
      ...(protection?.counted === undefined ? {} : { counted: protection.counted }),
    },
    authorities: protection?.authorities,
    connectMs: settings.smtp_connect_timeout,
    recipientsPerTransaction: settings.smtp_destination_recipient_limit,
    keepIdleMs: settings.smtp_connection_cache_time_limit,
  };
}

/** Where the DNS of others may lead us. */
export function reachOf(settings: Settings): Reach {
  return {
    permitLoopback: settings.smtp_allow_loopback_mx,
    permitPrivate: settings.smtp_allow_private_mx,
  };
}

function smarthost(hop: NextHop, settings: Settings): Smarthost {
  const port = hop.port ?? settings.smtp_port;
  const level = settings.smtp_tls_security_level;
  if (port === SUBMISSIONS_PORT) return { host: hop.host, mx: hop.mx, port, tls: 'implicit' };
  return { host: hop.host, mx: hop.mx, port, tls: TLS[level] };
}

/** A next hop of ours has no policy of its own: what asks for a certificate asks it of this host. */
const TLS = {
  none: 'never',
  may: 'opportunistic',
  dane: 'opportunistic',
  encrypt: 'require',
  'dane-only': 'require',
  verify: 'require',
  secure: 'require',
} as const;

/** A password goes only where the certificate is good: transfer sees to that when tls is open. */
function withLogin(host: Smarthost, settings: Settings): Smarthost {
  const { relayhost_login: login, relayhost_password_file: file } = settings;
  if (login === '' || file === '') return host;
  const credentials = { login, password: passwordOf(file) };
  return { ...host, tls: host.tls === 'implicit' ? 'implicit' : 'require', credentials };
}

function passwordOf(file: string): Secret<string> {
  let text: string | undefined;
  let othersMayRead = false;
  try {
    othersMayRead = (statSync(file).mode & 0o077) !== 0;
    text = parseUtf8(readFileSync(file));
  } catch (error) {
    const known = explain(error);
    const cause = `relayhost_password_file: ${known?.message ?? 'cannot be read'}`;
    throw new CommandError(EXIT.configuration, cause, known?.cure, error);
  }
  if (othersMayRead) {
    const cure = `Run chmod 600 ${file}.`;
    throw new CommandError(EXIT.configuration, `${file}: others may read this password`, cure);
  }
  const password = text?.replace(/\r?\n$/, '');
  if (password !== undefined && password !== '' && !/[\r\n]/.test(password)) {
    return new Secret(password);
  }
  const cure = 'Write the password alone into it, on one line, as UTF-8.';
  throw new CommandError(EXIT.configuration, `${file}: holds no password`, cure);
}
