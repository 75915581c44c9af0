/** Checks of trace fields: what a submission tells of whoever wrote it. */

import type { Check, Cure } from '../../check.ts';

const CURES: readonly Cure[] = [
  {
    product: 'postfix',
    lines: [
      '# /etc/postfix/submission_header_checks:',
      '/^Received:.*with E?SMTPS?A/ IGNORE',
      '# master.cf:',
      'submission-header unix n - y - 0 cleanup',
      '  -o header_checks=regexp:/etc/postfix/submission_header_checks',
      '# master.cf, behind submission:',
      '  -o cleanup_service_name=submission-header',
    ],
  },
  {
    product: 'exim',
    lines: [
      'received_header_text = Received: ${if def:authenticated_id {}{from $sender_helo_name ' +
        '([$sender_host_address]) }}by $primary_hostname with $received_protocol ' +
        'id $message_exim_id',
    ],
  },
  {
    product: 'opensmtpd',
    lines: [
      'pki mail cert "/etc/ssl/mail.pem"',
      'pki mail key "/etc/ssl/private/mail.key"',
      'listen on 0.0.0.0 tls pki mail',
      'listen on 0.0.0.0 port 587 tls-require pki mail auth mask-src',
    ],
  },
  { product: 'sendmail', lines: ["define(`confRECEIVED_HEADER', `by $j with $r id $i; $b')dnl"] },
  { product: 'dovecot', lines: ['The server behind the submission service writes the line.'] },
  { product: 'postern', lines: ['Lines of submissions never tell this; update Postern.'] },
];

const DOES_NOT_MEAN =
  'RFC 5321 4.4 wants the client named in such a line where mail comes from another server; for ' +
  "one's own users it may be left out.";

export const ADDRESS: Check = {
  id: 'exposure.trace-address',
  title: 'Every recipient learns from which address a user submitted',
  severity: 'low',
  means: 'Recipients see where the writer is: the place, the provider, home or firm.',
  doesNotMean: DOES_NOT_MEAN,
  rfc: ['RFC 5321 7.6', 'RFC 5321 4.4'],
  cures: CURES,
};

export const HELO: Check = {
  id: 'exposure.trace-helo',
  title: "Every recipient learns the name of a user's machine",
  severity: 'low',
  means: 'The name that a mail program says in EHLO is often that of the machine, or its user.',
  doesNotMean: DOES_NOT_MEAN,
  rfc: ['RFC 5321 7.6', 'RFC 5321 4.4'],
  cures: CURES,
};

export const LOGIN: Check = {
  id: 'exposure.trace-login',
  title: 'Every recipient learns the login of a user',
  severity: 'low',
  means: 'Half of what is needed to log in is told, also where it differs from the address.',
  doesNotMean: 'The password is not told.',
  rfc: ['RFC 5321 7.6'],
  cures: [
    { product: 'postfix', lines: ['smtpd_sasl_authenticated_header = no'] },
    ...CURES.slice(1),
  ],
};

export const VERSION: Check = {
  id: 'fingerprint.trace-version',
  title: 'Trace fields tell the version of the server',
  severity: 'info',
  means: 'Whoever gets one message knows which weaknesses to try, though the greeting is masked.',
  doesNotMean: 'An old number is no proof of a weakness.',
  rfc: ['RFC 5321 7.5', 'RFC 5321 7.6'],
  cures: [{ product: 'postfix', lines: ['mail_name = Postfix'] }, ...CURES.slice(1)],
};

export const INJECTED: Check = {
  id: 'injection.trace-field',
  title: 'What a client says becomes a field of the header',
  severity: 'high',
  means:
    'A client writes lines that look as if the server had written them: another Received, or ' +
    'results of checks that never were.',
  doesNotMean: 'It takes a login; what the client writes into its own message is no matter here.',
  rfc: ['RFC 5321 2.3.8', 'RFC 5321 4.4', 'RFC 3461 4'],
  cures: [
    { product: 'postfix', lines: ['smtpd_forbid_bare_newline = yes'] },
    { product: 'exim', lines: ['helo_allow_chars =', 'Update Exim.'] },
    { product: 'opensmtpd', lines: ['Update OpenSMTPD.'] },
    { product: 'sendmail', lines: ['Update sendmail.'] },
    { product: 'dovecot', lines: ['Update Dovecot.'] },
    { product: 'postern', lines: ['Names in EHLO are read strictly; update Postern.'] },
  ],
};
