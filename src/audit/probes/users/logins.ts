/** Logins: does the server tell a login it knows from one it does not, by its words? */

import type { Check, Cure } from '../../check.ts';
import { inapplicable } from '../../finding.ts';
import type { Protocol } from '../../finding.ts';
import type { ServiceProbe } from '../../probe.ts';
import { enumerate } from '../../users/enumerate.ts';
import type { Oracle } from '../../users/oracle.ts';
import { auth, imap, pop3 } from '../../users/oracles/index.ts';
import { askingOf, enumerationOutcome } from './outcome.ts';

const CURES: readonly Cure[] = [
  { product: 'dovecot', lines: ['auth_failure_delay = 2 secs'] },
  { product: 'postern', lines: ['Every failed login gets one answer; update Postern.'] },
];

export const toldBySmtpAuth = probe('told-by-smtp-auth', 'smtp', auth, 'SMTP AUTH');
export const toldAtImap = probe('told-at-imap', 'imap', imap, 'IMAP LOGIN');
export const toldAtPop3 = probe('told-at-pop3', 'pop3', pop3, 'POP3 USER and PASS');

function probe(name: string, protocol: Protocol, oracle: Oracle, what: string): ServiceProbe {
  const check: Check = {
    id: `users.login-${protocol}`,
    title: `${what} tells which logins there are`,
    severity: 'medium',
    means: 'Passwords are tried only where there is an account: guessing gets much cheaper.',
    doesNotMean: 'One wrong password was tried for each name; none was guessed.',
    rfc: ['RFC 4954 4', 'RFC 5530 3'],
    cures: CURES,
  };
  return {
    name,
    scope: 'service',
    level: 'active',
    checks: [check],
    limitMs: 60_000,
    alone: true,
    fits: (service) => service.protocol === protocol,
    run: async (context) => {
      const { knownUser, account, names } = context.options;
      const known = account?.login ?? knownUser;
      // Without a login that is there, one answer to all names would prove nothing.
      if (known === undefined) {
        context.tell(inapplicable(check, 'no login that exists was given (--known-user)'));
        return;
      }
      const asking = await askingOf(context, '');
      const list = names.slice(0, 50);
      const result = await enumerate(oracle, asking, {
        names: list,
        knownUser: known,
        parallel: 2,
      });
      context.tell(enumerationOutcome(check, result));
    },
  };
}
