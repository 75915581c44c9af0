/** Settings: how mail to other servers is protected, and what this server publishes about itself. */

import { LEVELS } from '#agents/transfer/security/level.ts';
import { group } from '../declare.ts';
import { listenPlace } from '../hosts.ts';
import {
  choice,
  count,
  domainName,
  duration,
  list,
  mailAddress,
  optional,
  path,
  table,
  text,
  yesNo,
} from '../values.ts';

const level = choice(...LEVELS);

export const protection = group(
  'Protection',
  'TLS to other servers: what must be, and what their domains publish about it.',
  {
    smtp_tls_security_level: {
      type: level,
      default: 'dane',
      doc: 'TLS to other servers: never, where it works, always, by TLSA records, or by name.',
    },
    smtp_tls_policy_maps: {
      type: table(
        text(
          'domain',
          'a domain, or ".domain" for all below it',
          /^\.?[a-z0-9_-][a-z0-9_.-]{0,253}$/,
        ),
        level,
      ),
      default: {},
      doc: 'The level of some domains, whatever MTA-STS policy they have (RFC 8461).',
    },
    smtp_tls_mta_sts: {
      type: yesNo(),
      default: true,
      doc: 'Whether MTA-STS policies hold at the levels may, encrypt and dane.',
    },
    smtp_tls_mta_sts_port: {
      type: count(1, 65_535),
      default: 443,
      doc: 'The port of MTA-STS policy hosts; another one is for tests.',
    },
    smtp_tls_ca_file: {
      type: path(),
      default: '',
      doc: 'PEM authorities for mail and policy hosts; empty: the system knows them.',
    },
    tls_report_from: {
      type: optional(mailAddress()),
      default: '',
      doc: 'The sender of daily TLS reports to domains that ask for them; empty: none are sent.',
    },
    dmarc_report_from: {
      type: optional(mailAddress()),
      default: '',
      doc: 'The sender of daily DMARC reports to domains that ask for them; empty: none are sent.',
    },
    report_accounts: {
      type: list(mailAddress(), 20),
      default: [],
      doc: 'The accounts whose INBOX `postern reports` reads where it is told no source.',
    },
  },
);

export const publication = group(
  'Publication',
  'What this server publishes over HTTP: its MTA-STS policy, and answers to its authority.',
  {
    https_listen: {
      type: list(listenPlace(), 20),
      default: [],
      doc: 'Where mta-sts.<domain> of each local domain is answered; usually ["443"].',
    },
    http_listen: {
      type: list(listenPlace(), 20),
      default: [],
      doc: 'Where ACME challenges of the kind http-01 are answered; usually ["80"].',
    },
    mta_sts_mode: {
      type: choice('none', 'testing', 'enforce'),
      default: 'testing',
      doc: 'What the MTA-STS policy of local domains says; begin with testing.',
    },
    mta_sts_max_age: {
      type: duration('1h', '365d'),
      unit: 'milliseconds',
      default: '7d',
      doc: 'How long others may keep our MTA-STS policy.',
    },
    mta_sts_mx: {
      type: list(text('host', 'a host name or "*.domain"', /^(?:\*\.)?[a-z0-9._-]{1,253}$/), 100),
      default: [],
      doc: 'The MX hosts of the MTA-STS policy; empty: myhostname.',
    },
    acme_directory: {
      type: text('URL', 'an https URL, or empty', /^(?:https:\/\/[\x21-\x7e]{1,500})?$/),
      default: '',
      doc: 'The directory of an ACME authority (RFC 8555); empty: no certificates are ordered.',
    },
    acme_terms_agreed: {
      type: yesNo(),
      default: false,
      doc: 'That you agree to the terms of the ACME authority.',
    },
    acme_contact: {
      type: optional(mailAddress()),
      default: '',
      doc: 'The address that the ACME authority may write to.',
    },
    acme_challenge: {
      type: choice('http-01', 'tls-alpn-01'),
      default: 'http-01',
      doc: 'How names are proven: over http_listen, or over https_listen.',
    },
    acme_names: {
      type: list(domainName(), 100),
      default: [],
      doc: 'The names of the certificate; empty: myhostname, and mta-sts of each local domain.',
    },
    acme_ca_file: {
      type: path(),
      default: '',
      doc: 'PEM authorities that the ACME authority itself is verified by; empty: the system.',
    },
  },
);
