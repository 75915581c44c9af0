/** Wrong passwords one after the other: does guessing cost time, or end? */

import type { Check } from '../../check.ts';
import { absent, found, inapplicable, unclear } from '../../finding.ts';
import type { Protocol } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { controlNames } from '../../users/controls.ts';
import type { Oracle } from '../../users/oracle.ts';
import { auth, imap, pop3 } from '../../users/oracles/index.ts';
import { askingOf } from '../users/outcome.ts';

const FREE: Check = {
  id: 'limits.login-no-delay',
  title: 'Wrong passwords are answered at once, one after the other',
  severity: 'low',
  means: 'Whoever guesses passwords tries thousands in a minute over one connection.',
  doesNotMean:
    'Only names that nobody has were used, so no account can be locked by it; something outside ' +
    'of the server (a firewall that reads its log) may still keep a guesser out later.',
  rfc: ['RFC 4954 4', 'RFC 4954 9'],
  cures: [
    {
      product: 'postfix',
      lines: [
        'smtpd_soft_error_limit = 1',
        'smtpd_error_sleep_time = 2s',
        'smtpd_hard_error_limit = 5',
      ],
    },
    {
      product: 'exim',
      lines: [
        'acl_smtp_auth = acl_check_auth',
        '# begin acl:',
        'acl_check_auth:',
        '  accept delay = 2s',
      ],
    },
    { product: 'opensmtpd', lines: ['No setting delays logins; the firewall can limit them.'] },
    { product: 'sendmail', lines: ['No setting delays logins; pam_faildelay behind it does.'] },
    { product: 'dovecot', lines: ['auth_failure_delay = 2 secs'] },
    { product: 'postern', lines: ['smtpd_auth_failure_limit = 3'] },
  ],
};

const ORACLES: Partial<Readonly<Record<Protocol, Oracle>>> = { smtp: auth, imap, pop3 };
const ATTEMPTS = 8;
/** An answer that takes so long is held back: no hash of passwords is meant to be that slow. */
const HELD_BACK_MS = 600;

export const loginFailures: ServiceProbe = {
  name: 'login-failures',
  scope: 'service',
  level: 'active',
  checks: [FREE],
  // Some servers remember who failed.
  alone: true,
  fits: ({ protocol }) => ORACLES[protocol] !== undefined,
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const oracle = ORACLES[context.service.protocol];
  if (oracle === undefined) return;
  const opened = await oracle.open(await askingOf(context, ''));
  if (opened.kind === 'unsupported') return context.tell(inapplicable(FREE, opened.why));
  if (opened.kind === 'failed') return context.tell(unclear(FREE, opened.why));
  const { session } = opened;
  const times: number[] = [];
  let end: string | undefined;
  for (const name of controlNames(context.random, ATTEMPTS)) {
    const { answers, stopped } = await session.ask([name]);
    times.push(...answers.map(({ ms }) => Math.round(ms)));
    const held = (times.at(-1) ?? 0) >= HELD_BACK_MS;
    end = stopped ?? (held ? `held back for ${times.at(-1)} ms` : undefined);
    if (end !== undefined || context.leftMs() < 4_000) break;
  }
  await session.close();
  const { exchange } = session;
  const more = { evidence: [exchange], details: { times } };
  if (end !== undefined && times.length === 0) context.tell(unclear(FREE, end, more));
  else if (end !== undefined) {
    context.tell(absent(FREE, `wrong password ${times.length}: ${end}`, more));
  } else if (times.length < ATTEMPTS) {
    context.tell(unclear(FREE, `only ${times.length} attempts could be made in time`, more));
  } else {
    const most = Math.max(...times);
    const seen = `${ATTEMPTS} wrong passwords in one session, each answered within ${most} ms`;
    context.tell(found(FREE, seen, more));
  }
}
