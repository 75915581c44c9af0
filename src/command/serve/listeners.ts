/** The table of listeners: which protocol speaks where, in clear or under TLS. */

import type { Settings } from '../configuration/settings.ts';
import type { ListenPlace } from '../configuration/hosts.ts';
import { isLoopback } from '../configuration/loopback.ts';

export type ProtocolName = 'smtp' | 'submission' | 'lmtp' | 'imap' | 'pop3';

/** One row: a place and what is spoken there. */
export interface ListenerRow {
  /** `smtp`, `submission`, `submissions`, `imap`, `imaps`, `pop3`, `pop3s`, `lmtp`. */
  readonly name: ListenerName;
  readonly protocol: ProtocolName;
  readonly tls: 'none' | 'starttls' | 'implicit';
  /** All addresses of this place share one port. */
  readonly hosts: readonly string[];
  readonly port: number;
  readonly maxConnections: number;
}

export type ListenerName =
  | 'smtp'
  | 'submission'
  | 'submissions'
  | 'imap'
  | 'imaps'
  | 'pop3'
  | 'pop3s'
  | 'lmtp';

interface Kind {
  readonly name: ListenerName;
  readonly protocol: ProtocolName;
  readonly tls: ListenerRow['tls'];
  readonly setting: `${ListenerName}_listen`;
  readonly limit: 'smtpd_connection_limit' | 'imap_connection_limit' | 'pop3_connection_limit';
}

const SMTP = 'smtpd_connection_limit';
const IMAP = 'imap_connection_limit';
const POP3 = 'pop3_connection_limit';

const KINDS: readonly Kind[] = [
  kind('smtp', 'smtp', 'starttls', SMTP),
  kind('submission', 'submission', 'starttls', SMTP),
  kind('submissions', 'submission', 'implicit', SMTP),
  kind('imap', 'imap', 'starttls', IMAP),
  kind('imaps', 'imap', 'implicit', IMAP),
  kind('pop3', 'pop3', 'starttls', POP3),
  kind('pop3s', 'pop3', 'implicit', POP3),
  kind('lmtp', 'lmtp', 'none', SMTP),
];

/** All of them, in the order in which they are opened. */
export const LISTENER_NAMES: readonly ListenerName[] = KINDS.map(({ name }) => name);

/** The rows that the settings ask for. */
export function listenerRows(settings: Settings): readonly ListenerRow[] {
  return KINDS.flatMap(({ name, protocol, tls, setting, limit }) =>
    settings[setting].map((place) => ({
      name,
      protocol,
      tls,
      hosts: placeHosts(settings, place),
      port: place.port,
      maxConnections: settings[limit],
    })),
  );
}

/** Whether every row is on loopback: then strangers cannot even try. */
export function onLoopbackOnly(rows: readonly ListenerRow[]): boolean {
  return rows.every((row) => row.hosts.every(isLoopback));
}

function kind(
  name: ListenerName,
  protocol: ProtocolName,
  tls: ListenerRow['tls'],
  limit: Kind['limit'],
): Kind {
  return { name, protocol, tls, setting: `${name}_listen`, limit };
}

/** The addresses behind `all` and `loopback-only`, in the families that are allowed. */
export function placeHosts(settings: Settings, place: ListenPlace): readonly string[] {
  const { inet_interfaces: interfaces, inet_protocols: family } = settings;
  const named = place.host === undefined ? interfaces : [place.host];
  const hosts = named.flatMap((name) => {
    // `::` takes IPv4 too where the system maps it; two sockets are plain on every system.
    if (name === 'all') return ['0.0.0.0', '::'];
    return name === 'loopback-only' ? ['127.0.0.1', '::1'] : [name];
  });
  return [...new Set(hosts)].filter(
    (host) => family === 'all' || (family === 'ipv6') === host.includes(':'),
  );
}
