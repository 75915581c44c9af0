/** Settings: how mail leaves, when it is tried again, and what its sender is told. */

import { group } from '../declare.ts';
import { nextHop } from '../hosts.ts';
import {
  count,
  domainName,
  duration,
  list,
  mailAddress,
  optional,
  path,
  size,
  table,
  text,
  yesNo,
} from '../values.ts';

export const routes = group('Routes', 'Where mail for other domains goes.', {
  relayhost: {
    type: nextHop(),
    default: '',
    doc: 'The next hop of all mail for elsewhere (port 465: TLS at once); empty: by MX.',
  },
  relayhost_login: {
    type: text('login', 'a login name, or empty', /^[^\x00-\x1f\x7f]{0,320}$/),
    default: '',
    doc: 'The login at relayhost, which then must offer TLS with a good certificate.',
  },
  relayhost_password_file: {
    type: path(),
    default: '',
    doc: 'A file that holds the password of relayhost_login and nothing else.',
  },
  transport_maps: {
    type: table(
      text(
        'domain',
        'a domain, or ".domain" for all below it',
        /^\.?[a-z0-9_-][a-z0-9_.-]{0,253}$/,
      ),
      nextHop(),
    ),
    default: {},
    doc: 'The next hop of some domains, before relayhost; an empty one means by MX.',
  },
  postmaster_address: {
    type: optional(mailAddress()),
    default: '',
    doc: 'Who reads mail for postmaster and abuse of every domain that names nobody itself.',
  },
  smtp_port: {
    type: count(1, 65_535),
    default: 25,
    doc: 'The port of other servers where a next hop names none; another one is for tests.',
  },
  smtp_allow_loopback_mx: {
    type: yesNo(),
    default: false,
    doc: 'Whether an MX on loopback is believed, which is for test networks only.',
  },
  smtp_allow_private_mx: {
    type: yesNo(),
    default: false,
    doc: 'Whether an MX in a private network is believed: where domains of the site have such ones.',
  },
});

export const outbound = group('Sending', 'How other servers are talked to.', {
  smtp_connection_limit: {
    type: count(1, 10_000),
    unit: 'connections',
    default: 100,
    doc: 'Connections to other servers at a time.',
  },
  smtp_destination_concurrency_limit: {
    type: count(1, 1_000),
    unit: 'connections',
    default: 10,
    doc: 'Connections to one destination domain at a time.',
  },
  smtp_destination_recipient_limit: {
    type: count(1, 1_000),
    unit: 'recipients',
    default: 100,
    doc: 'Recipients of one transaction with another server.',
  },
  smtp_connect_timeout: {
    type: duration('1s', '5m'),
    unit: 'milliseconds',
    default: '30s',
    doc: 'How long one connection may take to come about.',
  },
  smtp_connection_cache_time_limit: {
    type: duration('0s', '5m'),
    unit: 'milliseconds',
    default: '10s',
    doc: 'How long an idle connection waits for the next message to the same destination.',
  },
});

export const queue = group('Queue', 'When mail is tried again, and when it is given up.', {
  minimal_backoff_time: {
    type: duration('1s', '1d'),
    unit: 'milliseconds',
    default: '300s',
    doc: 'How long the first retry waits; each further one waits about twice as long.',
  },
  maximal_backoff_time: {
    type: duration('1s', '5d'),
    unit: 'milliseconds',
    default: '4000s',
    doc: 'The longest wait between two attempts.',
  },
  maximal_queue_lifetime: {
    type: duration('1m', '30d'),
    unit: 'milliseconds',
    default: '5d',
    doc: 'How long a message is tried before its sender gets it back (RFC 5321 4.5.4.1).',
  },
  bounce_queue_lifetime: {
    type: duration('1m', '30d'),
    unit: 'milliseconds',
    default: '2d',
    doc: 'How long a notice from <> is tried before it is dropped.',
  },
  delay_warning_time: {
    type: duration('0s', '5d'),
    unit: 'milliseconds',
    default: '4h',
    doc: 'When the sender is told that mail is late; 0s: never.',
  },
  bounce_size_limit: {
    type: size('1K', '10M'),
    unit: 'octets',
    default: '50K',
    doc: 'Up to this size a failure notice returns the whole message, else its header only.',
  },
});

const file = path();

export const certificates = group(
  'Certificates',
  'PEM files, read again when they change; without any, Postern makes its own.',
  {
    smtpd_tls_cert_file: {
      type: file,
      default: '',
      doc: 'The certificate of all listeners, with its intermediate certificates after it.',
    },
    smtpd_tls_key_file: {
      type: file,
      default: '',
      doc: 'The private key of smtpd_tls_cert_file.',
    },
    tls_server_sni_maps: {
      type: table(domainName(), list(file, 2), 1_000),
      default: {},
      doc: 'Further certificates by the name a client asks for: name = ["cert.pem", "key.pem"].',
    },
    smtpd_tls_handshake_timeout: {
      type: duration('1s', '5m'),
      unit: 'milliseconds',
      default: '30s',
      doc: 'How long a TLS handshake may take, in and out.',
    },
  },
);
