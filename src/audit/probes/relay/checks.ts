/** A check for each relay form, and those for trust that is given before a form is tried. */

import type { Check, Cure } from '../../check.ts';
import type { Form } from '../../relay/forms.ts';
import { FORMS } from '../../relay/survey.ts';

const RELAY_CURES: readonly Cure[] = [
  {
    product: 'postfix',
    lines: [
      // mynetworks_style is not looked at where mynetworks is set.
      'mynetworks = 127.0.0.1/32 [::1]/128',
      'smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination',
      'allow_untrusted_routing = no',
    ],
  },
  {
    product: 'exim',
    lines: ['hostlist relay_from_hosts = <; 127.0.0.1 ; ::1', 'domainlist relay_to_domains ='],
  },
  {
    product: 'opensmtpd',
    lines: [
      'match from any for domain "example.org" action "local"',
      'match auth from any for any action "relay"',
      'match from local for any action "relay"',
    ],
  },
  {
    product: 'sendmail',
    lines: ["Leave out FEATURE(`promiscuous_relay'), `relay_local_from' and `loose_relay_check'."],
  },
  { product: 'postern', lines: ['mynetworks = []'] },
];

const TRUST_CURES: readonly Cure[] = [
  {
    product: 'postfix',
    lines: [
      'smtpd_authorized_xclient_hosts =',
      'smtpd_authorized_xforward_hosts =',
      'smtpd_upstream_proxy_protocol =',
    ],
  },
  { product: 'exim', lines: ['hosts_proxy ='] },
  { product: 'postern', lines: ['smtpd_upstream_proxy_hosts = []'] },
];

const RETURN_CURES: readonly Cure[] = [
  {
    product: 'postfix',
    lines: [
      'local_recipient_maps = proxy:unix:passwd.byname $alias_maps',
      'relay_recipient_maps = hash:/etc/postfix/relay_recipients',
      '# /etc/postfix/relay_recipients:',
      'alice@example.org OK',
      '# then run:',
      'postmap /etc/postfix/relay_recipients',
    ],
  },
  {
    product: 'exim',
    lines: [
      '# begin acl, first in acl_check_rcpt:',
      '  deny domains = +local_domains',
      '       !verify = recipient',
    ],
  },
  { product: 'postern', lines: ['Unknown recipients are always refused in the session.'] },
];

const ETRN_CURES: readonly Cure[] = [
  { product: 'postfix', lines: ['smtpd_etrn_restrictions = reject'] },
  { product: 'exim', lines: ['acl_smtp_etrn ='] },
];

/** One for each form: `relay.n1`, `relay.r17`. */
export const FORM_CHECKS: ReadonlyMap<string, Check> = new Map(
  FORMS.map((form) => [form.id, formCheck(form)]),
);

export const TRUSTED: Check = {
  id: 'relay.stranger-trusted',
  title: 'XCLIENT, XFORWARD or PROXY from a stranger is believed',
  severity: 'high',
  means:
    'A stranger says which address it comes from and is treated as that: address rules, limits ' +
    'and logs are worth nothing, and a trusted address may relay.',
  doesNotMean: 'It is meant for proxies of your own; for them alone it is right.',
  rfc: [],
  cures: TRUST_CURES,
};

export const BACKSCATTER: Check = {
  id: 'relay.backscatter',
  title: 'Mail to nobody is accepted first and bounced to a sender who may be forged',
  severity: 'medium',
  means: 'Somebody else is flooded with bounces of spam, and the server gets on block lists.',
  doesNotMean: 'A catch-all accepts such mail too, but bounces nothing.',
  rfc: ['RFC 5321 6.1'],
  cures: RETURN_CURES,
};

export const AUTOREPLY: Check = {
  id: 'relay.autoreply',
  title: 'Automatic replies go to a sender who may be forged',
  severity: 'low',
  means: 'The server can be made to write to anybody.',
  doesNotMean: 'An answer by a person within the time of the test looks the same.',
  rfc: ['RFC 3834 2'],
  cures: [],
};

export const OTHERS_NAME: Check = {
  id: 'relay.r32',
  title: 'A login may write in the name of another domain',
  severity: 'medium',
  means: 'One stolen password, or one user, sends mail in the name of anybody.',
  doesNotMean: 'Some servers check the sender at DATA or in the queue: only RCPT was asked here.',
  rfc: ['RFC 6409 6.1'],
  cures: [
    {
      product: 'postfix',
      lines: [
        'smtpd_sender_login_maps = hash:/etc/postfix/senders',
        '# /etc/postfix/senders:',
        'alice@example.org alice@example.org',
        '# master.cf, under submission:',
        '  -o smtpd_sender_restrictions=reject_sender_login_mismatch',
        '# then run:',
        'postmap /etc/postfix/senders',
      ],
    },
    {
      product: 'exim',
      lines: [
        '# begin acl, first in acl_check_rcpt:',
        '  deny authenticated = *',
        '       condition = ${if !eqi{$sender_address}{$authenticated_id@example.org}}',
      ],
    },
    { product: 'sendmail', lines: ['No setting ties a sender to a login; a milter can.'] },
    { product: 'postern', lines: ['A login always owns its sender; update Postern.'] },
  ],
};

export const ETRN: Check = {
  id: 'relay.etrn',
  title: 'ETRN is taken for a domain that is not its own',
  severity: 'low',
  means: 'A stranger makes the server run its queue, as often as it likes.',
  doesNotMean: 'No mail is handed to the stranger by it.',
  rfc: ['RFC 1985 5'],
  cures: ETRN_CURES,
};

function formCheck(form: Form): Check {
  return {
    id: `relay.${form.id.toLowerCase()}`,
    title: `Open relay: ${form.title}`,
    severity: 'critical',
    means: 'Spammers send their mail through the server: it gets on block lists within hours.',
    doesNotMean:
      'Accepted at RCPT alone is not relayed yet; and what a trusted address may do is no open relay.',
    rfc: ['RFC 5321 7.1'],
    cures: form.id.startsWith('R28') ? TRUST_CURES : RELAY_CURES,
  };
}
