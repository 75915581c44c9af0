/** Settings: who this server is and where it listens. */

import { group } from '../declare.ts';
import { listenPlace, resolverPlace } from '../hosts.ts';
import {
  choice,
  count,
  domainName,
  duration,
  list,
  networkText,
  optional,
  text,
} from '../values.ts';

const places = list(listenPlace(), 20);

export const identity = group('Identity', 'The names that this server goes by.', {
  myhostname: {
    type: domainName(),
    default: {
      derived: ({ hostname }) => hostname,
      words: "the system's host name, which must be fully qualified",
    },
    doc: 'The name in the greeting, in HELO and EHLO, in Received and in the certificate.',
  },
  myorigin: {
    type: optional(domainName()),
    default: '',
    doc: 'The local domain of logins without @ and of address literals; empty: the first one.',
  },
});

export const listeners = group(
  'Listeners',
  'Each list may hold several places; an empty list switches the listener off.',
  {
    inet_interfaces: {
      type: list(
        text(
          'interface',
          '"all", "loopback-only" or an IP address',
          /^(?:all|loopback-only|[0-9a-fA-F:.]{2,45})$/,
        ),
        100,
      ),
      default: ['all'],
      doc: 'The addresses on which listeners listen that name only a port.',
    },
    inet_protocols: {
      type: choice('all', 'ipv4', 'ipv6'),
      default: 'all',
      doc: 'The address families that are used, in and out.',
    },
    smtp_listen: {
      type: places,
      default: ['25'],
      doc: 'Where mail from other servers comes in (STARTTLS offered, no login).',
    },
    submission_listen: {
      type: places,
      default: ['587'],
      doc: 'Where users submit mail, STARTTLS and login required (RFC 6409).',
    },
    submissions_listen: {
      type: places,
      default: ['465'],
      doc: 'Where users submit mail, TLS from the first octet (RFC 8314).',
    },
    imap_listen: { type: places, default: ['143'], doc: 'IMAP, login only after STARTTLS.' },
    imaps_listen: { type: places, default: ['993'], doc: 'IMAP, TLS from the first octet.' },
    pop3_listen: { type: places, default: ['110'], doc: 'POP3, login only after STLS.' },
    pop3s_listen: { type: places, default: ['995'], doc: 'POP3, TLS from the first octet.' },
    lmtp_listen: {
      type: places,
      default: [],
      doc: 'LMTP for another mail server in front of this one (RFC 2033); loopback is advised.',
    },
    metrics_listen: {
      type: places,
      default: [],
      doc: 'Figures for Prometheus at /metrics; loopback addresses only.',
    },
    smtpd_upstream_proxy_hosts: {
      type: list(networkText(), 100),
      default: [],
      doc: 'Proxies that must begin each connection with the PROXY protocol, version 1 or 2.',
    },
    smtpd_upstream_proxy_timeout: {
      type: duration('1s', '60s'),
      unit: 'milliseconds',
      default: '5s',
      doc: 'How long a listed proxy may take to send its PROXY header.',
    },
    smtpd_connection_limit: {
      type: count(1, 100_000),
      unit: 'connections',
      default: 1_000,
      doc: 'Open connections for each SMTP, submission and LMTP listener.',
    },
    imap_connection_limit: {
      type: count(1, 1_000_000),
      unit: 'connections',
      default: 10_000,
      doc: 'Open connections for each IMAP listener.',
    },
    pop3_connection_limit: {
      type: count(1, 100_000),
      unit: 'connections',
      default: 1_000,
      doc: 'Open connections for each POP3 listener.',
    },
    smtpd_client_connection_count_limit: {
      type: count(0, 100_000),
      unit: 'connections',
      default: 50,
      doc: 'Open connections for one client address on all listeners; 0 means no limit.',
    },
  },
);

export const names = group('DNS', 'The servers that answer our questions about names.', {
  resolver_addresses: {
    type: list(resolverPlace(), 10),
    default: [],
    doc: 'DNS servers in the order of preference; empty: those of /etc/resolv.conf.',
  },
  resolver_validating: {
    type: list(resolverPlace(), 10),
    default: [],
    doc: 'Those of resolver_addresses whose DNSSEC verdict (the AD bit) is believed.',
  },
  resolver_timeout: {
    type: duration('100ms', '60s'),
    unit: 'milliseconds',
    default: '5s',
    doc: 'How long one question to one DNS server may take.',
  },
});
