/** Settings: what clients may do, and how much of it. */

import { group } from '../declare.ts';
import { choice, count, duration, list, networkText, size, text, yesNo } from '../values.ts';

const restrictions = list(
  text(
    'restriction',
    'a restriction such as "reject_unauth_destination" or "check_client_access /etc/clients"',
    /^[\x20-\x7e]{1,4000}$/,
  ),
  200,
);

export const access = group(
  'Access',
  'Restrictions are tried in order; the first that permits or rejects decides.',
  {
    mynetworks: {
      type: list(networkText(), 1_000),
      default: ['127.0.0.0/8', '[::1]/128'],
      doc: "Clients that permit_mynetworks trusts; never the world, never this host's gateway.",
    },
    smtpd_client_restrictions: {
      type: restrictions,
      default: [],
      doc: 'What is asked of the client itself: its address, its name, the lists it stands on.',
    },
    smtpd_helo_restrictions: {
      type: restrictions,
      default: ['permit_mynetworks', 'reject_invalid_helo_hostname'],
      doc: 'What is asked of the name in HELO and EHLO from other servers.',
    },
    smtpd_sender_restrictions: {
      type: restrictions,
      default: ['reject_sender_login_mismatch', 'reject_non_fqdn_sender'],
      doc: 'What is asked of the address in MAIL FROM.',
    },
    smtpd_recipient_restrictions: {
      type: restrictions,
      default: [
        'reject_non_fqdn_recipient',
        'permit_mynetworks',
        'permit_sasl_authenticated',
        'reject_unauth_destination',
      ],
      doc: 'What is asked of each address in RCPT TO; without a permit nothing is relayed anyway.',
    },
    smtpd_data_restrictions: {
      type: restrictions,
      default: [
        'permit_mynetworks',
        'permit_sasl_authenticated',
        'reject_unauth_pipelining',
        'reject_dmarc',
        'quarantine_dmarc',
      ],
      doc: 'What is asked of a whole message, with what its signatures and DMARC say of it.',
    },
    verify_senders: {
      type: yesNo(),
      default: true,
      doc: "Whether strangers' mail on port 25 is checked by SPF, DKIM, ARC and DMARC.",
    },
    unverified_clients: {
      type: list(networkText(), 1_000),
      default: ['127.0.0.0/8', '[::1]/128'],
      doc: 'Clients besides mynetworks whose mail is not checked, such as an MX of ours before us.',
    },
    recipient_delimiter: {
      type: text('delimiter', 'at most one of + - = _ . #, or empty', /^[-+=_.#]?$/),
      default: '+',
      doc: 'What ends the name of a mailbox in an address: alice+lists@ is alice@; empty: nothing.',
    },
    verify_for_authenticated: {
      type: yesNo(),
      default: false,
      doc: 'Whether users who logged in get true answers to VRFY and EXPN; nobody else does.',
    },
    smtpd_auth_failure_limit: {
      type: count(1, 1_000),
      unit: 'failures',
      default: 3,
      doc: 'Failed logins of one session before it is closed; the next ones must wait longer.',
    },
    self_audit: {
      type: choice('refuse', 'warn', 'off'),
      default: 'refuse',
      doc: 'What a start does when the auditor finds a grave weakness in a changed configuration.',
    },
  },
);

export const limits = group('Limits on what comes in', 'What exceeds them gets a clear refusal.', {
  message_size_limit: {
    type: size('64K', '2G'),
    unit: 'octets',
    default: '50M',
    doc: 'The largest message, announced by SIZE and APPENDLIMIT and enforced while it arrives.',
  },
  line_length_limit: {
    type: size('1000', '1M'),
    unit: 'octets',
    default: '2K',
    doc: 'The longest command line of SMTP and POP3, with its CRLF.',
  },
  smtpd_recipient_limit: {
    type: count(100, 50_000),
    unit: 'recipients',
    default: 1_000,
    doc: 'Recipients of one transaction (RFC 5321 4.5.3.1.8 asks for at least 100).',
  },
  smtpd_command_limit: {
    type: count(10, 1_000_000),
    unit: 'commands',
    default: 5_000,
    doc: 'Commands of an SMTP session in a row without an accepted message.',
  },
  smtpd_hard_error_limit: {
    type: count(1, 1_000),
    unit: 'errors',
    default: 20,
    doc: 'Errors of one SMTP session before it is closed.',
  },
  smtpd_timeout: {
    type: duration('1s', '1h'),
    unit: 'milliseconds',
    default: '305s',
    doc: 'How long an SMTP client may be silent (RFC 5321 4.5.3.2.7 asks for five minutes).',
  },
  smtpd_session_time_limit: {
    type: duration('1m', '24h'),
    unit: 'milliseconds',
    default: '2h',
    doc: 'How long one SMTP session may last.',
  },
  imap_idle_timeout: {
    type: duration('30m', '24h'),
    unit: 'milliseconds',
    default: '32m',
    doc: 'How long an IMAP client may be silent (RFC 3501 5.4 asks for thirty minutes).',
  },
  imap_session_time_limit: {
    type: duration('1h', '100d'),
    unit: 'milliseconds',
    default: '30d',
    doc: 'How long one IMAP session may last.',
  },
  imap_line_length_limit: {
    type: size('8K', '1M'),
    unit: 'octets',
    default: '64K',
    doc: 'The longest IMAP command without its literals (RFC 7162 4 asks for 8192 octets).',
  },
  pop3_idle_timeout: {
    type: duration('10m', '24h'),
    unit: 'milliseconds',
    default: '11m',
    doc: 'How long a POP3 client may be silent (RFC 1939 3 asks for ten minutes).',
  },
  pop3_session_time_limit: {
    type: duration('1m', '10d'),
    unit: 'milliseconds',
    default: '2h',
    doc: 'How long one POP3 session may last.',
  },
});
