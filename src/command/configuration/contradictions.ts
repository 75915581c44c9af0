/** What no setting alone shows: values that do not go together, or that nobody should want. */

import { parseTableName } from '#policy/access/parse.ts';
import { AccessTable } from '#policy/access/table.ts';
import type { Tools } from '#policy/checks/tools.ts';
import { parseNetworks } from '#policy/restrictions/networks.ts';
import { parseRestrictions } from '#policy/restrictions/parse.ts';
import type { DefaultFacts } from './declare.ts';
import { isLoopback } from './loopback.ts';
import type { Settings } from './settings.ts';

export interface Contradiction {
  readonly name: string | undefined;
  readonly cause: string;
  readonly cure: string;
}

/** All contradictions in settings that are right one by one. */
export function contradictions(
  settings: Settings,
  facts: Pick<DefaultFacts, 'gateways'>,
): Contradiction[] {
  return [
    ...trust(settings, facts.gateways),
    ...restrictions(settings),
    ...times(settings),
    ...certificatePairs(settings),
    ...places(settings),
    ...resolvers(settings),
    ...routes(settings),
    ...publication(settings),
  ];
}

/** An authority that could not reach us would refuse us, again and again. */
function publication(settings: Settings): Contradiction[] {
  const { acme_directory: directory, acme_challenge: challenge } = settings;
  const listener = challenge === 'http-01' ? 'http_listen' : 'https_listen';
  if (directory === '' || settings[listener].length > 0) return [];
  const cause = `has no effect: ${challenge} is answered on ${listener}, which is empty`;
  const cure = `Set ${listener}, or choose another acme_challenge.`;
  return [{ name: 'acme_directory', cause, cure }];
}

/** Networks that would let the world in, in the words of the policy. */
function trust(settings: Settings, gateways: readonly string[]): Contradiction[] {
  const lists = [
    [
      'mynetworks',
      parseNetworks(settings.mynetworks, { gateways }),
      'Name only networks whose every client may send mail through this server.',
    ],
    [
      'smtpd_upstream_proxy_hosts',
      parseNetworks(settings.smtpd_upstream_proxy_hosts),
      'Name only hosts that you run as proxies: they say who every client is.',
    ],
  ] as const;
  return lists.flatMap(([name, parsed, cure]) =>
    parsed.kind === 'networks'
      ? []
      : parsed.errors.map(({ text, why }) => ({
          name,
          cause: `has "${text}", which ${why}`,
          cure,
        })),
  );
}

/** What is wrong with the lists; with `tools` that read tables, also what is wrong with those. */
export function restrictions(settings: Settings, tools: Tools = UNREAD): Contradiction[] {
  return RESTRICTION_LISTS.flatMap((name) => {
    const parsed = parseRestrictions(settings[name], name, tools);
    if (parsed.kind === 'restrictions') return [];
    return parsed.errors.map((error) => ({
      name,
      cause: `has "${error.name}", which ${error.why}`,
      cure:
        error.suggestion === undefined ? 'Mend or remove it.' : `Did you mean ${error.suggestion}?`,
    }));
  });
}

function times(settings: Settings): Contradiction[] {
  const found: Contradiction[] = [];
  if (settings.minimal_backoff_time > settings.maximal_backoff_time) {
    const cause = 'is longer than maximal_backoff_time';
    found.push({ name: 'minimal_backoff_time', cause, cure: 'Make it the shorter one.' });
  }
  if (settings.maximal_backoff_time > settings.maximal_queue_lifetime) {
    const cause = 'is longer than maximal_queue_lifetime, so that there would be no second attempt';
    found.push({ name: 'maximal_backoff_time', cause, cure: 'Make it the shorter one.' });
  }
  if (settings.delay_warning_time > settings.maximal_queue_lifetime) {
    const cause = 'is longer than maximal_queue_lifetime, so that nobody would be warned';
    found.push({ name: 'delay_warning_time', cause, cure: 'Make it shorter, or 0s for never.' });
  }
  return found;
}

function certificatePairs(settings: Settings): Contradiction[] {
  const found: Contradiction[] = [];
  const { smtpd_tls_cert_file: certificate, smtpd_tls_key_file: key } = settings;
  if ((certificate === '') !== (key === '')) {
    const [name, missing] =
      key === ''
        ? ['smtpd_tls_cert_file', 'smtpd_tls_key_file']
        : ['smtpd_tls_key_file', 'smtpd_tls_cert_file'];
    found.push({ name, cause: `is set without ${missing}`, cure: `Set ${missing} too.` });
  }
  for (const [host, files] of settings.tls_server_sni_maps) {
    if (files.length === 2) continue;
    const name = `tls_server_sni_maps.${host}`;
    const cure = 'Write name = ["cert.pem", "key.pem"].';
    found.push({ name, cause: 'must name two files', cure });
  }
  return found;
}

/** Two listeners on one place, figures for the world, a family that is switched off. */
function places(settings: Settings): Contradiction[] {
  const found: Contradiction[] = [];
  const taken = new Map<string, string>();
  for (const name of LISTEN_NAMES) {
    for (const place of settings[name]) {
      const key = `${place.host ?? 'inet_interfaces'}:${place.port}`;
      const other = taken.get(key);
      if (other !== undefined && place.port !== 0) {
        const cause = `has port ${place.port}, which ${other} has already`;
        found.push({ name, cause, cure: 'Give each listener a place of its own.' });
      }
      taken.set(key, name);
      const family = place.host?.includes(':') === true ? 'ipv6' : 'ipv4';
      const { inet_protocols: allowed } = settings;
      if (place.host !== undefined && allowed !== 'all' && allowed !== family) {
        const cause = `names ${place.host}, but inet_protocols is ${allowed}`;
        found.push({ name, cause, cure: 'Change one of the two.' });
      }
    }
  }
  for (const { host } of settings.metrics_listen) {
    if (host !== undefined && isLoopback(host)) continue;
    const cause = 'must name a loopback address';
    found.push({ name: 'metrics_listen', cause, cure: 'Write "127.0.0.1:9125", for example.' });
  }
  return found;
}

function resolvers(settings: Settings): Contradiction[] {
  const known = new Set(settings.resolver_addresses.map((place) => JSON.stringify(place)));
  return settings.resolver_validating
    .filter((place) => !known.has(JSON.stringify(place)))
    .map((place) => ({
      name: 'resolver_validating',
      cause: `names ${place.address}, which is not in resolver_addresses`,
      cure: 'Only a listed DNS server is asked: add it there too.',
    }));
}

/** A login without its half, or for nobody. */
function routes(settings: Settings): Contradiction[] {
  const found: Contradiction[] = [];
  const { relayhost, relayhost_login: login, relayhost_password_file: file } = settings;
  if ((login === '') !== (file === '')) {
    const [name, missing] =
      file === ''
        ? ['relayhost_login', 'relayhost_password_file']
        : ['relayhost_password_file', 'relayhost_login'];
    found.push({ name, cause: `is set without ${missing}`, cure: `Set ${missing} too.` });
  } else if (login !== '' && relayhost === undefined) {
    const cure = 'Set relayhost, or remove the login.';
    found.push({ name: 'relayhost_login', cause: 'is set without relayhost', cure });
  }
  return found;
}

/** Tables are on disk: here only their names are looked at. */
const UNREAD: Tools = {
  table: (name) => {
    const parsed = parseTableName(name);
    return typeof parsed === 'string' ? parsed : () => new AccessTable(new Map(), []);
  },
};

const RESTRICTION_LISTS = [
  'smtpd_client_restrictions',
  'smtpd_helo_restrictions',
  'smtpd_sender_restrictions',
  'smtpd_recipient_restrictions',
  'smtpd_data_restrictions',
] as const;

const LISTEN_NAMES = [
  'smtp_listen',
  'submission_listen',
  'submissions_listen',
  'imap_listen',
  'imaps_listen',
  'pop3_listen',
  'pop3s_listen',
  'lmtp_listen',
  'metrics_listen',
] as const;
