/** Checks of parsing: what a server makes of octets that no honest client sends. */

import type { Check, Cure, Severity } from '../../check.ts';

const UPDATE = 'Malformed input is refused; update Postern.';

const FILTER = [
  'smtpd_command_filter = regexp:/etc/postfix/command_filter',
  '# /etc/postfix/command_filter:',
  '/[[:cntrl:]]/ XINVALID',
];
const STRICT: readonly Cure[] = [
  {
    product: 'postfix',
    lines: [
      // yes is another word for normalize: a bare LF ends a command then as well.
      'smtpd_forbid_bare_newline = reject',
      ...FILTER,
      'Versions before 3.9, 3.8.5 and 3.7.10 cannot refuse a bare LF.',
    ],
  },
  { product: 'exim', lines: ['No setting: Exim ends a command at a bare LF.'] },
  { product: 'sendmail', lines: ['Update to 8.18.1; bare line ends are refused there.'] },
  { product: 'postern', lines: [UPDATE] },
];
/** What is cut off or read on: Postfix has no setting for it. */
const CUT: readonly Cure[] = [
  { product: 'postfix', lines: ['No setting: the rest is dropped, and never run as a command.'] },
  { product: 'exim', lines: ['smtp_max_synprot_errors = 3'] },
  { product: 'postern', lines: [UPDATE] },
];
const SYNC: readonly Cure[] = [
  { product: 'postfix', lines: ['smtpd_forbid_unauth_pipelining = yes'] },
  {
    product: 'exim',
    lines: ['smtp_enforce_sync = true', 'pipelining_connect_advertise_hosts ='],
  },
  { product: 'sendmail', lines: ["FEATURE(`greet_pause', `2000')dnl"] },
  {
    product: 'postern',
    lines: ['smtpd_data_restrictions = ["reject_unauth_pipelining"]'],
  },
];
const CROSS: readonly Cure[] = [
  {
    product: 'postfix',
    lines: ['smtpd_forbidden_commands = CONNECT GET POST', 'smtpd_forbid_unauth_pipelining = yes'],
  },
  // The first command that is none ends the session.
  { product: 'exim', lines: ['smtp_max_unknown_commands = 0', 'smtp_max_synprot_errors = 0'] },
  { product: 'postern', lines: [UPDATE] },
];
const ADDRESSES: readonly Cure[] = [
  { product: 'postfix', lines: ['strict_rfc821_envelopes = yes', ...FILTER] },
  {
    product: 'exim',
    lines: [
      'acl_smtp_mail = acl_check_mail',
      '# begin acl:',
      'acl_check_mail:',
      '  deny condition = ${if match{$sender_address}{\\N[\\x00-\\x1f\\x7f]\\N}}',
      '  deny condition = ${if match{$sender_address}{\\N[\\x80-\\xff]\\N}}',
      '       !condition = $message_smtputf8',
      '  accept',
    ],
  },
  { product: 'postern', lines: [UPDATE] },
];
/** What is lax towards honest clients, and harms nobody. */
const LAX_CURES: readonly Cure[] = [
  { product: 'postfix', lines: ['No setting; smtpd_command_filter can refuse such lines.'] },
  { product: 'exim', lines: ['No setting: Exim is lax here.'] },
  { product: 'postern', lines: [UPDATE] },
];
const CHUNKS: readonly Cure[] = [
  { product: 'postfix', lines: ['smtpd_discard_ehlo_keywords = chunking, silent-discard'] },
  { product: 'exim', lines: ['chunking_advertise_hosts ='] },
  { product: 'postern', lines: [UPDATE] },
];
const LF_CURES: readonly Cure[] = [
  {
    product: 'postfix',
    lines: [
      'smtpd_forbid_bare_newline = reject',
      'Versions before 3.9, 3.8.5 and 3.7.10 cannot refuse a bare LF.',
    ],
  },
  { product: 'exim', lines: ['No setting; since 4.97.1 a bare LF is made a space.'] },
  { product: 'postern', lines: [UPDATE] },
];
const NUL_CURES: readonly Cure[] = [
  { product: 'postfix', lines: ['message_reject_characters = \\0'] },
  {
    product: 'exim',
    lines: [
      '# begin acl, first in acl_check_data:',
      '  deny condition = ${if >{$body_zerocount}{0}}',
    ],
  },
  { product: 'postern', lines: [UPDATE] },
];
const CONTENT: readonly Cure[] = [
  { product: 'postfix', lines: ['No setting: a milter can refuse it.'] },
  { product: 'exim', lines: ['No setting: the ACL of DATA can call a filter that refuses it.'] },
  { product: 'postern', lines: [UPDATE] },
];
const FROM_CURES: readonly Cure[] = [
  {
    product: 'postfix',
    lines: ['No setting: a milter can, as OpenDKIM with RequiredHeaders yes.'],
  },
  {
    product: 'exim',
    lines: [
      '# begin acl, first in acl_check_data:',
      '  deny condition = ${if match{$message_headers_raw}{\\N(?msi)^From:.*^From:\\N}}',
    ],
  },
  { product: 'postern', lines: [UPDATE] },
];
const ACCESS: readonly Cure[] = [
  { product: 'dovecot', lines: ['imap_max_line_length = 64k', 'Update to 2.3.21 or later.'] },
  { product: 'postern', lines: [UPDATE] },
];
const LAX =
  'Where two programs read the same octets differently, one can be told what the other hides.';
const NO_HOLE = 'Alone it is no hole; it makes others usable.';

const make =
  (cures: readonly Cure[]) =>
  (
    id: string,
    title: string,
    severity: Severity,
    rfc: readonly string[],
    means: string = LAX,
    doesNotMean: string = NO_HOLE,
  ): Check => ({ id: `parsing.${id}`, title, severity, means, doesNotMean, rfc, cures });

const strict = make(STRICT);
const cut = make(CUT);
const sync = make(SYNC);
const address = make(ADDRESSES);
const lax = make(LAX_CURES);
// Postfix has a setting for it, Exim has none.
const brackets = make([...ADDRESSES.slice(0, 1), ...LAX_CURES.slice(1)]);
const chunk = make(CHUNKS);
const content = make(CONTENT);
const access = make(ACCESS);
const INTO_LOG =
  'What is said here stands in logs, in Received and in replies: lines can be forged there.';

// Command lines.
export const LF_COMMAND = strict(
  'bare-lf-command',
  'Commands that end in a bare LF are run',
  'low',
  ['RFC 5321 2.3.8'],
);
export const CR_COMMAND = strict(
  'bare-cr-command',
  'Commands that end in a bare CR are run',
  'low',
  ['RFC 5321 2.3.8'],
);
export const NUL_COMMAND = cut(
  'nul-command',
  'A NUL in a command is dropped, or cuts it off',
  'low',
  ['RFC 5321 2.4'],
);
export const EIGHT_BIT = address(
  'eight-bit-command',
  'Addresses with octets beyond ASCII are taken without SMTPUTF8',
  'low',
  ['RFC 5321 2.4', 'RFC 6531 3.4'],
);
export const LONG_COMMAND = cut(
  'long-command',
  'A command line of 70,000 octets is run',
  'low',
  ['RFC 5321 4.5.3.1.4'],
  'A line without limit costs memory, on every connection at the same time.',
  'One line is soon read; the test at level intrusive shows whether there is any end.',
);
export const SHORT_COMMAND = cut(
  'short-command',
  'A command line of 512 octets is refused',
  'info',
  ['RFC 5321 4.5.3.1.4'],
  'Honest clients with long addresses or parameters are turned away.',
);
export const TRAILING_SPACE = strict(
  'trailing-space',
  'A command with a space at its end is refused',
  'info',
  ['RFC 5321 4.1.1'],
  'Old and simple clients send it; receivers should tolerate it.',
);
export const NO_BRACKETS = brackets(
  'no-brackets',
  'MAIL FROM:address without <> is taken',
  'info',
  ['RFC 5321 4.1.2'],
);
export const SPACE_AFTER_COLON = lax(
  'space-after-colon',
  'MAIL FROM: <address> with a space behind the colon is taken',
  'info',
  ['RFC 5321 3.3'],
);
export const UNPIPELINED = sync(
  'unauthorised-pipelining',
  'Commands sent behind EHLO without waiting are run',
  'low',
  ['RFC 2920 3.1'],
  'Programs that only send do not wait; the cheapest mark of them is not used, and smuggled ' +
    'commands in one packet are run.',
);

// Other protocols.
export const HTTP_BODY = make(CROSS)(
  'http-body-run',
  'Commands in the body of an HTTP request are run',
  'medium',
  ['RFC 5321 7'],
  'A page in the browser of a user inside can make it speak to this server, past the firewall.',
  'Browsers refuse the usual mail ports; other HTTP clients (proxies, fetching servers) do not.',
);
export const TLS_IN_CLEAR = make(CROSS)(
  'tls-in-clear-run',
  'Commands behind a TLS handshake on a clear port are run',
  'low',
  ['RFC 9325 3.7'],
  'The server goes on after octets of another protocol; mix-ups across protocols need that.',
);

// Addresses, parameters, names.
export const ADDRESS_CONTROL = address(
  'address-control',
  'An address with control characters is taken (CR, NUL, TAB, escape codes)',
  'low',
  ['RFC 5321 4.1.2'],
  INTO_LOG,
);
export const HELO_CONTROL = address(
  'helo-control',
  'EHLO with control characters is taken',
  'low',
  ['RFC 5321 4.1.1.1'],
  INTO_LOG,
);
export const PARAMETER_UNKNOWN = lax(
  'parameter-unknown',
  'An unknown parameter of MAIL is taken',
  'info',
  ['RFC 5321 4.1.1.11'],
  'A sender believes that its wish (DSN, REQUIRETLS) is followed, and it is ignored.',
);
export const PARAMETER_TWICE = lax(
  'parameter-twice',
  'A parameter of MAIL that stands there twice is taken',
  'info',
  ['RFC 5321 4.1.2'],
);
export const PARAMETER_CONTROL = address(
  'parameter-control',
  'Encoded line ends in parameters (ENVID, ORCPT, AUTH) are taken',
  'low',
  ['RFC 3461 4.4', 'RFC 3461 4.2'],
  'They are decoded into notices: lines can be forged there.',
);
export const LOGIN_CONTROL = address(
  'login-control',
  'A login name with line ends breaks the session or comes back raw',
  'medium',
  ['RFC 4954 4'],
  INTO_LOG,
);
export const REPLY_BROKEN = strict(
  'reply-broken',
  'What a client says comes back raw and breaks the form of replies',
  'medium',
  ['RFC 5321 4.2.1'],
  'Lines can be put into the mouth of the server: a client or a proxy believes them.',
);

// BDAT.
export const CHUNK_RUN = chunk(
  'bdat-refused-run',
  'The octets of a refused BDAT chunk are run as commands',
  'high',
  ['RFC 3030 2'],
  'Whoever puts text into a message that a client sends by BDAT gives commands in its session.',
);
export const CHUNK_SIZE = chunk(
  'bdat-size',
  'BDAT with an impossible size is taken (negative, hexadecimal, beyond 64 bits)',
  'low',
  ['RFC 3030 2'],
  'Where content ends depends on how a number is read: text becomes commands, or commands text.',
);
export const CHUNK_SHORT = chunk(
  'bdat-short',
  'A chunk is answered before all its octets came',
  'medium',
  ['RFC 3030 2'],
);
export const CHUNK_MIXED = chunk('bdat-data-mixed', 'DATA is taken after BDAT', 'low', [
  'RFC 3030 2',
]);

// Content.
export const TWO_FROM = make(FROM_CURES)(
  'from-twice',
  'A message with two From fields is accepted',
  'low',
  ['RFC 5322 3.6'],
  'One author is checked, the other one is shown.',
  'Some servers sort it out later, or put it away as junk.',
);
export const NUL_CONTENT = make(NUL_CURES)(
  'nul-content',
  'A message with NUL in it is accepted',
  'low',
  ['RFC 5321 2.3.8', 'RFC 5322 2.2'],
);
export const LF_CONTENT = make(LF_CURES)(
  'bare-lf-content',
  'Content with a bare LF is accepted',
  'info',
  ['RFC 5321 2.3.8'],
);
export const CR_CONTENT = content('bare-cr-content', 'Content with a bare CR is accepted', 'info', [
  'RFC 5321 2.3.8',
]);
export const LONG_TEXT = content(
  'long-text-line',
  'A line of text of 70,000 octets is accepted',
  'info',
  ['RFC 5321 4.5.3.1.6'],
  'Where it is cut for the next server, signatures break and text moves into the header.',
);

// IMAP and POP3.
export const HUGE_LITERAL = access(
  'imap-huge-literal',
  'A literal of 1 GiB is asked for before any login',
  'medium',
  ['RFC 9051 4.3', 'RFC 7888 7'],
  'Strangers fill memory or disk, a gigabyte with each connection.',
  'The test sends nothing of it; the server may stop reading later.',
);
export const LITERAL_RUN = access(
  'imap-literal-run',
  'The octets of a refused literal are run as commands',
  'medium',
  ['RFC 7888 4'],
  'Text that a client sends as data gives commands in its session.',
);
export const LITERAL_MINUS = access(
  'imap-literal-minus',
  'LITERAL- is announced, and a larger literal without waiting is taken',
  'info',
  ['RFC 7888 5'],
);
export const ACCESS_LONG = access(
  'access-long-line',
  'A line of 1 MiB is read before any login',
  'low',
  ['RFC 9051 4.3', 'RFC 2449 4'],
  'A line without limit costs memory, on every connection at the same time.',
  'One line is soon read; the test at level intrusive shows whether there is any end.',
);
export const ACCESS_NUL = access(
  'access-nul',
  'A NUL in a command is dropped, or cuts it off',
  'low',
  ['RFC 9051 9', 'RFC 1939 3'],
);
