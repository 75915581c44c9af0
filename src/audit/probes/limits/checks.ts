/** Checks of limits: what has none, and what is narrower than the standard allows. */

import type { Check, Cure, Severity } from '../../check.ts';

/** Above mailbox_size_limit, 51200000 by default, nothing is delivered any more. */
const MESSAGE_SIZE = 'message_size_limit = 51200000';

const SIZE_CURES: readonly Cure[] = [
  { product: 'postfix', lines: [MESSAGE_SIZE] },
  { product: 'exim', lines: ['message_size_limit = 50M'] },
  { product: 'opensmtpd', lines: ['smtp max-message-size "50M"'] },
  { product: 'sendmail', lines: ["define(`confMAX_MESSAGE_SIZE', `52428800')dnl"] },
  { product: 'postern', lines: ['message_size_limit = "50M"'] },
];
const RECIPIENT_CURES: readonly Cure[] = [
  { product: 'postfix', lines: ['smtpd_recipient_limit = 1000'] },
  { product: 'exim', lines: ['recipients_max = 1000'] },
  { product: 'sendmail', lines: ["define(`confMAX_RCPTS_PER_MESSAGE', `1000')dnl"] },
  { product: 'postern', lines: ['smtpd_recipient_limit = 1000'] },
];
const ERROR_CURES: readonly Cure[] = [
  {
    product: 'postfix',
    lines: [
      'smtpd_soft_error_limit = 10',
      'smtpd_hard_error_limit = 20',
      'smtpd_error_sleep_time = 1s',
    ],
  },
  { product: 'exim', lines: ['smtp_max_unknown_commands = 3', 'smtp_max_synprot_errors = 3'] },
  { product: 'sendmail', lines: ["define(`confBAD_RCPT_THROTTLE', `3')dnl"] },
  { product: 'postern', lines: ['Sessions end after their errors; update Postern.'] },
];
const LOOP_CURES: readonly Cure[] = [
  { product: 'postfix', lines: ['hopcount_limit = 50'] },
  { product: 'exim', lines: ['received_headers_max = 30'] },
  { product: 'sendmail', lines: ["define(`confMAX_HOP', `25')dnl"] },
  { product: 'postern', lines: ['Hops are always counted; update Postern.'] },
];
const HEADER_CURES: readonly Cure[] = [
  { product: 'postfix', lines: ['No setting counts fields; a milter may refuse the message.'] },
  { product: 'exim', lines: ['header_maxsize = 128K'] },
  { product: 'sendmail', lines: ["define(`confMAX_HEADERS_LENGTH', `32768')dnl"] },
  { product: 'postern', lines: ['Headers always have a limit; update Postern.'] },
];
const LOAD_CURES: readonly Cure[] = [
  {
    product: 'postfix',
    lines: [
      'smtpd_timeout = 300s',
      'smtpd_client_connection_count_limit = 50',
      'line_length_limit = 2048',
    ],
  },
  { product: 'exim', lines: ['smtp_receive_timeout = 5m', 'smtp_accept_max_per_host = 20'] },
  {
    product: 'opensmtpd',
    lines: ['No setting: count connections in the firewall.'],
  },
  {
    product: 'sendmail',
    lines: [
      "define(`confTO_COMMAND', `5m')dnl",
      "FEATURE(`delay_checks')dnl",
      "FEATURE(`conncontrol', `nodelay')dnl",
      '# /etc/mail/access:',
      'ClientConn: 50',
      '# then run:',
      'makemap hash /etc/mail/access < /etc/mail/access',
    ],
  },
  {
    product: 'dovecot',
    lines: [
      'mail_max_userip_connections = 10',
      'service imap-login {',
      '  process_limit = 256',
      '}',
    ],
  },
  { product: 'postern', lines: ['smtpd_client_connection_count_limit = 50'] },
];

const make =
  (cures: readonly Cure[]) =>
  (
    id: string,
    title: string,
    severity: Severity,
    rfc: readonly string[],
    means: string,
    doesNotMean: string,
  ): Check => ({ id: `limits.${id}`, title, severity, means, doesNotMean, rfc, cures });

const ONE = 'What one connection may do is no proof of what many of them do together.';

export const SIZE_MISSING = make(SIZE_CURES)(
  'size-missing',
  'SIZE is not announced',
  'info',
  ['RFC 1870 4'],
  'Senders learn that a message is too large only when all of it was sent.',
  'There may be a limit all the same.',
);
export const SIZE_UNLIMITED = make(SIZE_CURES)(
  'size-unlimited',
  'SIZE is announced without a limit',
  'low',
  ['RFC 1870 4'],
  'Anybody fills the disk with a few messages.',
  'Other limits (free space, quota) may stop it; nothing large was sent.',
);
export const SIZE_IGNORED = make(
  SIZE_CURES.map((cure) =>
    cure.product === 'opensmtpd'
      ? { ...cure, lines: ['No setting: OpenSMTPD counts what it was sent.'] }
      : cure,
  ),
)(
  'size-ignored',
  'A message that says it is larger than the limit is not refused at MAIL or RCPT',
  'low',
  ['RFC 1870 6.1'],
  'All of it is sent before it is refused: time and lines are wasted.',
  'It is refused later, as a rule.',
);
export const FEW_RECIPIENTS = make(RECIPIENT_CURES)(
  'few-recipients',
  'Fewer than 100 recipients of one message are taken',
  'low',
  ['RFC 5321 4.5.3.1.8'],
  'Mail to lists is split or lost; some senders give up at the first 452.',
  'It may be meant for strangers alone.',
);
export const NO_ERROR_LIMIT = make(ERROR_CURES)(
  'no-error-limit',
  '100 errors in one session neither end nor slow it',
  'low',
  ['RFC 5321 7.8'],
  'Who guesses names, passwords or holes may do so without end on one connection.',
  ONE,
);
export const HOP_LOOP = make(LOOP_CURES)(
  'hop-loop',
  'A message with 120 hops is accepted',
  'low',
  ['RFC 5321 6.3'],
  'Two servers that hand mail to each other do so for ever, and anybody can start it.',
  'Exim and sendmail count in the queue: they bounce it there, and the loop ends.',
);
export const MANY_FIELDS = make(HEADER_CURES)(
  'many-fields',
  'A message with 10,000 header fields is accepted',
  'info',
  ['RFC 5321 7.8'],
  'Programs that read headers later may take very long over it, or fail.',
  'It is no fault of this server if it bears it.',
);
export const SHORT_TIMEOUT = make(LOAD_CURES)(
  'short-timeout',
  'A session without a word is ended before five minutes',
  'info',
  ['RFC 5321 4.5.3.2.7'],
  'Honest but slow clients lose their session.',
  'Servers under attack shorten it on purpose.',
);
export const NO_TIMEOUT = make(LOAD_CURES)(
  'no-timeout',
  'A session without a word is kept for more than ten minutes',
  'low',
  ['RFC 5321 4.5.3.2.7'],
  'Connections that say nothing pile up until nobody else gets one.',
  ONE,
);
export const CONNECTIONS = make(LOAD_CURES)(
  'connections',
  '200 connections of one address are served at the same time',
  'low',
  ['RFC 5321 7.8'],
  'One machine takes all the places there are.',
  'A network of our own may be exempt from the limit on purpose.',
);
export const ENDLESS_LINE = make(LOAD_CURES)(
  'endless-line',
  'A command line of 32 MiB is read on and on',
  'medium',
  ['RFC 5321 4.5.3.1.4', 'RFC 5321 7.8'],
  'Where it is kept, a few connections fill the memory; where it is thrown away, they fill lines.',
  'From outside it cannot be seen whether the octets are kept.',
);
