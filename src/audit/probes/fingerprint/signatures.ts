/** How servers are known by their answers: texts that administrators rarely change, by product. */

import type { Protocol } from '../../finding.ts';

/** One trait: an answer to `question` that matches is told of `product`, with this weight. */
export interface Signature {
  readonly protocols: readonly Protocol[];
  readonly question: Question;
  readonly product: string;
  readonly pattern: RegExp;
  /** 3: its name or a text of no other program; 2: peculiar; 1: fits, others have it too. */
  readonly weight: 1 | 2 | 3;
}

/** What is asked, and how the answers are called in the report. */
export type Question =
  | 'greeting'
  | 'hello'
  | 'capabilities'
  | 'help'
  | 'unknown'
  | 'noop'
  | 'reset'
  | 'sequence'
  | 'data'
  | 'vrfy'
  | 'identity'
  | 'goodbye';

type Row = readonly [question: Question, product: string, pattern: RegExp, weight: 1 | 2 | 3];

const PYTHON_VRFY = /^252 Cannot VRFY user, but will accept message and attempt delivery/;

const SMTP_ROWS: readonly Row[] = [
  ['greeting', 'postfix', /\bPostfix\b/, 3],
  ['unknown', 'postfix', /^50[02] 5\.5\.2 Error: command not recognized$/, 3],
  ['sequence', 'postfix', /^503 5\.5\.1 Error: need MAIL command$/, 3],
  ['data', 'postfix', /^503 5\.5\.1 Error: need RCPT command$/, 3],
  [
    'capabilities',
    'postfix',
    /^PIPELINING SIZE( VRFY)?( ETRN)?( STARTTLS)?( AUTH)*( XCLIENT| XFORWARD)* ENHANCEDSTATUSCODES 8BITMIME/,
    2,
  ],
  ['noop', 'postfix', /^250 2\.0\.0 Ok$/, 1],
  ['greeting', 'exim', /\bExim \d/, 3],
  ['unknown', 'exim', /^500 unrecognized command$/, 2],
  ['sequence', 'exim', /^503 sender not yet given$/, 3],
  ['data', 'exim', /^503 valid RCPT command must precede DATA$/, 3],
  ['reset', 'exim', /^250 Reset OK$/, 2],
  ['help', 'exim', /^214[ -]Commands supported:/, 2],
  ['goodbye', 'exim', /^221 \S+ closing connection$/, 1],
  ['hello', 'exim', /^\S+ Hello \S+ \[[0-9a-f.:]+\]$/i, 1],
  ['greeting', 'opensmtpd', /\bOpenSMTPD\b/, 3],
  ['unknown', 'opensmtpd', /^500 5\.5\.1 Invalid command: Command unrecognized$/, 3],
  [
    'sequence',
    'opensmtpd',
    /^503 5\.5\.1 Invalid command: Command not allowed at this point\.$/,
    3,
  ],
  ['help', 'opensmtpd', /\bOpenSMTPD\b/, 3],
  ['greeting', 'sendmail', /\bSendmail \d/, 3],
  ['unknown', 'sendmail', /^500 5\.5\.1 Command unrecognized: "/, 3],
  ['sequence', 'sendmail', /^503 5\.0\.0 Need MAIL before RCPT$/, 3],
  ['data', 'sendmail', /^503 5\.0\.0 Need MAIL command$/, 3],
  ['help', 'sendmail', /\bThis is sendmail\b/i, 3],
  ['reset', 'sendmail', /^250 2\.0\.0 Reset state$/, 2],
  ['vrfy', 'sendmail', /^252 2\.5\.2 Cannot VRFY user; try RCPT/, 2],
  ['unknown', 'courier', /^502 ESMTP command error$/, 3],
  ['capabilities', 'courier', /\bXVERP\b.*\bXSECURITY\b|\bXEXDATA\b/, 3],
  ['hello', 'courier', /^\S+ Ok\.$/, 2],
  ['vrfy', 'courier', /^252 VRFY disabled$/, 2],
  ['unknown', 'qmail', /^502 unimplemented \(#5\.5\.1\)$/, 3],
  ['sequence', 'qmail', /^503 MAIL first \(#5\.5\.1\)$/, 3],
  ['help', 'qmail', /\bqmail\b/, 3],
  ['greeting', 'exchange', /Microsoft ESMTP MAIL Service/, 3],
  ['unknown', 'exchange', /^500 5\.3\.3 Unrecognized command/, 3],
  ['goodbye', 'exchange', /^221 2\.0\.0 Service closing transmission channel$/, 2],
  ['capabilities', 'exchange', /\b(?:X-ANONYMOUSTLS|X-EXPS|XRDST)\b/, 3],
  ['greeting', 'dovecot', /\bDovecot\b/, 3],
  ['unknown', 'dovecot', /^500 5\.5\.1 Unknown command$/, 1],
  ['sequence', 'dovecot', /^503 5\.5\.0 MAIL needed first$/, 3],
  ['data', 'dovecot', /^503 5\.5\.0 (?:MAIL|RCPT) needed first$/, 3],
  ['unknown', 'haraka', /^500 Unrecognized command$/, 2],
  ['goodbye', 'haraka', /Have a jolly good day/, 3],
  ['sequence', 'haraka', /^503 Use MAIL before RCPT$/, 2],
  ['greeting', 'aiosmtpd', /\bPython SMTP \d/, 3],
  ['help', 'aiosmtpd', /^250 Supported commands: AUTH DATA EHLO/, 3],
  ['unknown', 'aiosmtpd', /^500 Error: command "\S+" not recognized$/, 1],
  ['vrfy', 'aiosmtpd', PYTHON_VRFY, 1],
  // Python's smtpd until 3.11, of which aiosmtpd was made: two words differ.
  ['greeting', 'python-smtpd', /\bPython SMTP proxy\b/, 3],
  ['help', 'python-smtpd', /^250 Supported commands: EHLO HELO MAIL/, 3],
  ['unknown', 'python-smtpd', /^500 Error: command "\S+" not recognized$/, 1],
  ['vrfy', 'python-smtpd', PYTHON_VRFY, 1],
  // Nodemailer's smtp-server, a package of npm.
  ['hello', 'smtp-server', /^\S+ Nice to meet you, /, 3],
  ['reset', 'smtp-server', /^250 (?:2\.0\.0 )?Flushed$/, 3],
  ['vrfy', 'smtp-server', /^252 (?:2\.\d\.\d )?Try to send something\. No promises though$/, 3],
  ['unknown', 'postern', /^500 5\.5\.1 Unknown command$/, 1],
  ['sequence', 'postern', /^503 5\.5\.1 MAIL comes first$/, 3],
  ['vrfy', 'postern', /^252 2\.1\.5 Names are not verified; send mail/, 3],
];

const IMAP_ROWS: readonly Row[] = [
  ['greeting', 'dovecot', /\bDovecot\b/, 3],
  ['unknown', 'dovecot', /^BAD Error in IMAP command received by server\.$/, 3],
  ['goodbye', 'dovecot', /^OK Logout completed \([\d.]+ \+ [\d.]+/, 2],
  ['identity', 'dovecot', /"name" "Dovecot/i, 3],
  ['greeting', 'courier', /\bCourier-IMAP\b/, 3],
  ['unknown', 'courier', /^NO Error in IMAP command received by server\.$/, 3],
  ['greeting', 'cyrus', /\bCyrus IMAP\b/, 3],
  ['unknown', 'cyrus', /^BAD Unrecognized command$/, 2],
  ['goodbye', 'cyrus', /^\* BYE LOGOUT received/, 2],
  ['capabilities', 'cyrus', /\b(?:X-REPLICATION|X-CREATEDMODSEQ|NO_ATOMIC_RENAME)\b/, 3],
  ['identity', 'cyrus', /"name" "Cyrus/i, 3],
  ['greeting', 'exchange', /Microsoft Exchange IMAP4/, 3],
  ['unknown', 'exchange', /^BAD Command Error\. \d+$/, 3],
  ['unknown', 'uw-imap', /^BAD Command unrecognized/, 2],
  ['goodbye', 'uw-imap', /IMAP4rev1 server terminating connection/, 2],
  ['identity', 'postern', /"name" "Postern"/, 3],
  ['unknown', 'postern', /^BAD Unknown command$/, 2],
];

const POP3_ROWS: readonly Row[] = [
  ['greeting', 'dovecot', /\bDovecot\b/, 3],
  ['unknown', 'dovecot', /^-ERR Unknown command\.$/, 3],
  ['goodbye', 'dovecot', /^\+OK Logging out\.?$/, 2],
  ['greeting', 'courier', /^\+OK Hello there\./, 3],
  ['unknown', 'courier', /^-ERR Invalid command\.$/, 3],
  ['goodbye', 'courier', /^\+OK Better luck next time\.$/, 3],
  ['capabilities', 'courier', /\bIMPLEMENTATION Courier\b/i, 3],
  ['greeting', 'cyrus', /\bCyrus POP3\b/, 3],
  ['unknown', 'cyrus', /^-ERR Unrecognized command$/, 2],
  ['capabilities', 'cyrus', /\bIMPLEMENTATION Cyrus\b/i, 3],
  ['capabilities', 'cyrus', /\bEXPIRE NEVER LOGIN-DELAY \d+ TOP UIDL PIPELINING RESP-CODES\b/, 2],
  ['greeting', 'exchange', /Microsoft Exchange (?:Server )?.*POP3/, 3],
  ['unknown', 'postern', /^-ERR unknown command$/, 2],
  ['goodbye', 'postern', /^\+OK goodbye$/, 2],
];

const SIEVE_ROWS: readonly Row[] = [
  ['capabilities', 'dovecot', /\bIMPLEMENTATION Dovecot\b/, 3],
  ['unknown', 'dovecot', /^NO "Error in MANAGESIEVE command received by server\."$/, 3],
  ['capabilities', 'cyrus', /\bIMPLEMENTATION Cyrus\b/, 3],
  ['capabilities', 'postern', /\bIMPLEMENTATION Postern\b/, 3],
];

function rows(protocols: readonly Protocol[], table: readonly Row[]): readonly Signature[] {
  return table.map(([question, product, pattern, weight]) => ({
    protocols,
    question,
    product,
    pattern,
    weight,
  }));
}

/** Every trait that is known. */
export const SIGNATURES: readonly Signature[] = [
  ...rows(['smtp', 'lmtp'], SMTP_ROWS),
  ...rows(['imap'], IMAP_ROWS),
  ...rows(['pop3'], POP3_ROWS),
  ...rows(['sieve'], SIEVE_ROWS),
];
