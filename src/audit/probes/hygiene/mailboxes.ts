/** Mailboxes and senders that everybody must take: postmaster, abuse, and the null sender. */

import type { Check } from '../../check.ts';
import { absent, found, inapplicable, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { replyText } from '../../wire/smtp.ts';
import { accepted, attempt, type Attempt, deferred, postmaster } from './transaction.ts';

const ALIASES = (file: string, line: string): readonly string[] => [
  `# ${file}:`,
  line,
  '# then run:',
  'newaliases',
];

const POSTMASTER: Check = {
  id: 'hygiene.postmaster-refused',
  title: 'Mail to postmaster is refused',
  severity: 'low',
  means: 'Nobody can tell the administrator about abuse or a break-in; some lists punish it.',
  doesNotMean: 'Other mail is not touched. A blocklist may have refused us, not the name.',
  rfc: ['RFC 5321 4.5.1', 'RFC 2142 5'],
  cures: [
    { product: 'postfix', lines: ALIASES('/etc/aliases', 'postmaster: root') },
    {
      product: 'exim',
      // Without the domains it would relay to every postmaster.
      lines: [
        '# begin acl, first in acl_check_rcpt:',
        '  accept local_parts = postmaster',
        '         domains = +local_domains',
        '# /etc/aliases:',
        'postmaster: root',
      ],
    },
    {
      product: 'opensmtpd',
      lines: [
        // <postmaster> alone is completed with the name of the listener.
        'match from any for domain { "example.org", "mail.example.org" } action "local"',
        'match from local for any action "relay"',
        '# /etc/aliases:',
        'postmaster: root',
      ],
    },
    { product: 'sendmail', lines: ALIASES('/etc/mail/aliases', 'postmaster: root') },
    {
      product: 'postern',
      lines: ['# then run:', 'postern alias add postmaster@example.org admin@example.org'],
    },
  ],
};

const ABUSE: Check = {
  id: 'hygiene.abuse-refused',
  title: 'Mail to abuse is refused',
  severity: 'info',
  means: 'Others cannot report spam that comes from here.',
  doesNotMean: 'The mailbox is a custom, not a must, where nobody but postmaster is asked.',
  rfc: ['RFC 2142 4'],
  cures: [
    { product: 'postfix', lines: ALIASES('/etc/aliases', 'abuse: postmaster') },
    { product: 'exim', lines: ['# /etc/aliases:', 'abuse: postmaster'] },
    { product: 'opensmtpd', lines: ['# /etc/aliases:', 'abuse: postmaster'] },
    { product: 'sendmail', lines: ALIASES('/etc/mail/aliases', 'abuse: postmaster') },
    {
      product: 'postern',
      lines: ['# then run:', 'postern alias add abuse@example.org admin@example.org'],
    },
  ],
};

const NULL_SENDER: Check = {
  id: 'hygiene.null-sender-refused',
  title: 'Mail from the null sender <> is refused',
  severity: 'low',
  means: 'Notices about undelivered mail are lost: senders never learn that their mail failed.',
  doesNotMean: 'Unwanted notices are better refused by signed return addresses.',
  rfc: ['RFC 5321 6.1', 'RFC 5321 4.5.5'],
  cures: [
    { product: 'postfix', lines: ['Remove the entry <> from smtpd_sender_restrictions tables.'] },
    { product: 'exim', lines: ['Remove the condition on an empty sender from acl_check_mail.'] },
    { product: 'postern', lines: ['The null sender is always taken; update Postern.'] },
  ],
};

const DOMAINS = 3;

export const mailboxes: ServiceProbe = {
  name: 'mailboxes',
  scope: 'service',
  level: 'safe',
  checks: [POSTMASTER, ABUSE, NULL_SENDER],
  fits: ({ protocol, role }) => protocol === 'smtp' && role === 'reception',
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const [domain] = context.options.domains;
  const sender = `audit@${context.token()}.invalid`;
  const nobody = await attempt(context, '', postmaster(context));
  const named = accepted(nobody.mail)
    ? nobody
    : await attempt(context, sender, postmaster(context));
  if (accepted(nobody.mail)) context.tell(absent(NULL_SENDER, 'MAIL FROM:<> is taken'));
  else if (deferred(nobody.mail)) {
    context.tell(unclear(NULL_SENDER, `deferred: "${replyText(nobody.mail)}"`));
  } else if (accepted(named.mail)) {
    const seen = `MAIL FROM:<> is answered with "${replyText(nobody.mail)}", another sender is taken`;
    context.tell(found(NULL_SENDER, seen, { controls: { positive: { passed: 1, of: 1 } } }));
  } else {
    const seen = `every sender is refused: "${replyText(named.mail)}"`;
    context.tell(inapplicable(NULL_SENDER, seen));
  }
  tellMailbox(context, POSTMASTER, await postmasterOf(context, named));
  if (domain === undefined) context.tell(inapplicable(ABUSE, 'no domain is known (--domain)'));
  else {
    const abuse = context.recipients.here('abuse', domain);
    tellMailbox(context, ABUSE, await attempt(context, accepted(nobody.mail) ? '' : sender, abuse));
  }
}

/** The bare name, or the first of the domains whose postmaster is refused (RFC 5321 4.5.1: each of them). */
async function postmasterOf(context: ServiceContext, bare: Attempt): Promise<Attempt> {
  if (!accepted(bare.rcpt)) return bare;
  // The server's own name is seldom a domain of mail.
  const [named] = context.service.greeting.replace(/^220[ -]/, '').split(' ', 1);
  const domains = context.options.domains.filter((domain) => domain !== named);
  for (const domain of domains.slice(0, DOMAINS)) {
    const there = await attempt(context, '', context.recipients.here('postmaster', domain));
    const { rcpt } = there;
    if (rcpt !== undefined && rcpt.code >= 500 && !RELAYING.test(replyText(rcpt))) return there;
  }
  return bare;
}

function tellMailbox(context: ServiceContext, check: Check, { mail, rcpt }: Attempt): void {
  const reply = rcpt ?? mail;
  const seen = `the answer is "${replyText(reply)}"`;
  if (accepted(rcpt)) context.tell(absent(check, seen));
  else if (rcpt === undefined) context.tell(inapplicable(check, `no sender is taken: ${seen}`));
  else if (RELAYING.test(replyText(rcpt))) {
    context.tell(inapplicable(check, `the server receives no mail for this domain: ${seen}`));
  } else if (deferred(rcpt)) context.tell(unclear(check, `deferred (greylisting?): ${seen}`));
  else if (POLICY.test(replyText(rcpt)))
    context.tell(unclear(check, `refused for who we are: ${seen}`));
  else context.tell(found(check, seen));
}

/** Not `User unknown in relay recipient table`: that is about the name. */
const RELAYING = /relay(?! recipient)/i;

/** Refusals that are about us (address, name, rDNS), not about the mailbox. */
const POLICY =
  /\b(?:block|blacklist|dnsbl|rbl|spamhaus|helo|reverse|ptr|client host|sender|dynamic)/i;
