/** VRFY, EXPN and RCPT: does the server tell who has a mailbox? */

import type { Check, Cure } from '../../check.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { domainOf } from '../../users/domain.ts';
import { enumerate } from '../../users/enumerate.ts';
import type { Oracle } from '../../users/oracle.ts';
import { expn, rcpt, vrfy } from '../../users/oracles/index.ts';
import { askingOf, enumerationOutcome } from './outcome.ts';

const CLOSED: readonly Cure[] = [
  { product: 'postfix', lines: ['disable_vrfy_command = yes'] },
  { product: 'exim', lines: ['acl_smtp_vrfy =', 'acl_smtp_expn ='] },
  { product: 'sendmail', lines: ["define(`confPRIVACY_FLAGS', `novrfy,noexpn')dnl"] },
  { product: 'postern', lines: ['VRFY and EXPN tell nothing, whatever is configured.'] },
];

const SLOWED: readonly Cure[] = [
  {
    product: 'postfix',
    lines: [
      'smtpd_soft_error_limit = 3',
      'smtpd_hard_error_limit = 6',
      'smtpd_client_recipient_rate_limit = 60',
    ],
  },
  { product: 'exim', lines: ['smtp_ratelimit_rcpt = 4,0.25s,1.015,4m'] },
];

const DOES_NOT_MEAN = 'Names that were not on the list were not tried; there may be more.';

const VRFY: Check = {
  id: 'users.vrfy',
  title: 'VRFY tells who has a mailbox',
  severity: 'medium',
  means: 'Spammers and attackers of passwords collect the names of your users.',
  doesNotMean: DOES_NOT_MEAN,
  rfc: ['RFC 5321 3.5.3', 'RFC 5321 7.3'],
  cures: CLOSED,
};

const EXPN: Check = {
  id: 'users.expn',
  title: 'EXPN opens lists and aliases',
  severity: 'medium',
  means: 'The members of a list, and the people behind an alias, are told to strangers.',
  doesNotMean: DOES_NOT_MEAN,
  rfc: ['RFC 5321 3.5.2', 'RFC 5321 7.3'],
  cures: CLOSED,
};

const RCPT: Check = {
  id: 'users.rcpt',
  title: 'RCPT tells who has a mailbox',
  severity: 'low',
  means: 'Names can be collected by asking for many; how fast depends on the limits.',
  doesNotMean:
    'Refusing unknown recipients in the session is right: accepting them would make backscatter.',
  rfc: ['RFC 5321 3.3'],
  cures: SLOWED,
};

/** Tried where the operator gave no names: usual, and some of them must be there (RFC 2142). */
const USUAL = ['root', 'abuse', 'hostmaster', 'webmaster', 'info', 'admin', 'postmaster'];

export const toldByVrfy = probe('told-by-vrfy', VRFY, vrfy);
export const toldByExpn = probe('told-by-expn', EXPN, expn);
export const toldAtRcpt = probe('told-at-rcpt', RCPT, rcpt);

function probe(name: string, check: Check, oracle: Oracle): ServiceProbe {
  return {
    name,
    scope: 'service',
    level: 'safe',
    checks: [check],
    limitMs: 60_000,
    // Submission too: VRFY may be open there alone, and whoever needs a login for RCPT says so at once.
    fits: ({ protocol }) => protocol === 'smtp',
    run: async (context: ServiceContext): Promise<void> => {
      const { domains, names, knownUser } = context.options;
      const first = await askingOf(context, '');
      const domain = domains[0] ?? (await domainOf(first)) ?? context.service.host;
      const asking = { ...first, domain };
      const list = names.length > 0 ? names : USUAL;
      const result = await enumerate(oracle, asking, { names: list, knownUser, parallel: 4 });
      context.tell(enumerationOutcome(check, result));
    },
  };
}
