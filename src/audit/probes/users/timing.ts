/** Time: does the server take longer for a name that is there, where its words are the same? */

import type { Check } from '../../check.ts';
import { absent, found, inapplicable, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import type { Oracle } from '../../users/oracle.ts';
import { auth, imap, pop3, rcpt } from '../../users/oracles/index.ts';
import { compareTimes } from '../../users/timing/compare.ts';
import { askingOf } from './outcome.ts';

const CHECK: Check = {
  id: 'users.timing',
  title: 'The time of an answer tells who has a mailbox or login',
  severity: 'medium',
  means: 'The same words after another time tell as much as other words.',
  doesNotMean: 'Over a long way the difference may be too small to be measured.',
  rfc: [],
  cures: [
    {
      product: 'dovecot',
      lines: ['auth_failure_delay = 2 secs'],
    },
    { product: 'postern', lines: ['An unknown login costs the same hashes; update Postern.'] },
  ],
};

export const toldByTime: ServiceProbe = {
  name: 'told-by-time',
  scope: 'service',
  // 120 wrong logins for one name: that locks accounts where there is a lock.
  level: 'intrusive',
  checks: [CHECK],
  limitMs: 300_000,
  alone: true,
  fits: ({ protocol }) => protocol === 'smtp' || protocol === 'imap' || protocol === 'pop3',
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const { knownUser, account, domains } = context.options;
  const { protocol, role } = context.service;
  const known = account?.login ?? knownUser;
  if (known === undefined) {
    context.tell(inapplicable(CHECK, 'no name that exists was given (--known-user)'));
    return;
  }
  const oracles: Readonly<Record<string, Oracle>> = { imap, pop3, smtp: auth };
  const oracle = role === 'reception' ? rcpt : (oracles[protocol] ?? auth);
  const asking = await askingOf(context, domains[0] ?? context.service.host);
  const { timings, evidence } = await compareTimes(oracle, asking, { names: [known] });
  const [timing] = timings;
  if (timing === undefined) return;
  const { shiftMs, scatterMs, probability, samples, discarded } = timing;
  const words =
    `${shiftMs.toFixed(2)} ms between ${known} and names that nobody has (scatter ` +
    `${scatterMs.toFixed(2)} ms, p ${probability.toPrecision(2)}, ${samples} answers)`;
  const details = { shiftMs, scatterMs, probability, samples, discarded };
  const make = { differs: found, same: absent, unsteady: unclear }[timing.verdict];
  context.tell(make(CHECK, words, { evidence, details }));
}
