/** Services that strangers should not reach at all, or not without a login. */

import type { Check } from '../../check.ts';
import { absent, found, inapplicable } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { replyText } from '../../wire/smtp.ts';
import { accepted, attempt, postmasterHere } from './transaction.ts';

const LMTP: Check = {
  id: 'exposure.lmtp',
  title: 'LMTP takes mail from whoever connects',
  severity: 'medium',
  means: 'Mail is put into mailboxes past all checks: filters, blocklists, SPF, DKIM and DMARC.',
  doesNotMean: 'On a socket that only the own mail server reaches it is as it should be.',
  rfc: ['RFC 2033 3'],
  cures: [
    {
      product: 'dovecot',
      lines: [
        'service lmtp {',
        '  inet_listener lmtp {',
        '    address = 127.0.0.1',
        '    port = 24',
        '  }',
        '}',
      ],
    },
    { product: 'postfix', lines: ['Bind the service to 127.0.0.1 or a UNIX socket.'] },
    { product: 'postern', lines: ['lmtp_listen = ["127.0.0.1:24"]'] },
  ],
};

const SUBMISSION: Check = {
  id: 'exposure.submission-without-login',
  title: 'The submission port takes mail without a login',
  severity: 'medium',
  means:
    'Strangers deliver past the checks that are made on port 25, in the name of whomever they like.',
  doesNotMean: 'Recipients elsewhere are another question: see the group relay.',
  rfc: ['RFC 6409 4.3'],
  cures: [
    {
      product: 'postfix',
      lines: [
        '# master.cf, under submission:',
        '  -o smtpd_client_restrictions=permit_sasl_authenticated,reject',
      ],
    },
    {
      product: 'exim',
      lines: [
        '# begin acl, first in acl_check_rcpt:',
        '  deny !authenticated = *',
        '       condition = ${if eq{$received_port}{587}}',
      ],
    },
    {
      product: 'opensmtpd',
      lines: [
        'pki mail cert "/etc/ssl/mail.pem"',
        'pki mail key "/etc/ssl/private/mail.key"',
        'listen on 0.0.0.0 tls pki mail',
        'listen on 0.0.0.0 port 587 tls-require pki mail auth',
      ],
    },
    { product: 'sendmail', lines: ["DAEMON_OPTIONS(`Port=submission, M=Ea')dnl"] },
    { product: 'postern', lines: ['Submission always wants a login; update Postern.'] },
  ],
};

export const exposed: ServiceProbe = {
  name: 'exposed',
  scope: 'service',
  level: 'safe',
  checks: [LMTP, SUBMISSION],
  fits: ({ protocol, role }) =>
    protocol === 'lmtp' || (protocol === 'smtp' && role === 'submission'),
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const isLmtp = context.service.protocol === 'lmtp';
  const [check, other] = isLmtp ? [LMTP, SUBMISSION] : [SUBMISSION, LMTP];
  context.tell(inapplicable(other, isLmtp ? 'this is LMTP' : 'this is SMTP'));
  const { mail, rcpt } = await attempt(
    context,
    `audit@${context.token()}.invalid`,
    postmasterHere(context),
  );
  if (isLmtp) {
    const seen = `MAIL is answered with "${replyText(mail)}"`;
    context.tell((accepted(mail) ? found : absent)(check, seen));
    return;
  }
  const reply = rcpt ?? mail;
  const seen = `without a login the answer is "${replyText(reply)}"`;
  context.tell((accepted(rcpt) ? found : absent)(check, seen));
}
