/** From an enumeration to an outcome, with the numbers that it rests on. */

import { Failure } from '#base/failure.ts';
import { smtpSession } from '../../session.ts';
import type { Check } from '../../check.ts';
import { absent, type Extra, found, inapplicable, type Outcome, unclear } from '../../finding.ts';
import type { ServiceContext } from '../../probe.ts';
import type { Enumeration } from '../../users/enumerate.ts';
import type { Asking } from '../../users/oracle.ts';

const SHOWN = 20;

/** What the users' code needs, from what a probe is given. */
export async function askingOf(context: ServiceContext, domain: string): Promise<Asking> {
  const { options, service } = context;
  return {
    clock: context.world.clock,
    random: context.random,
    dial: () => context.dial(),
    heloName: options.heloName,
    serverName: service.host,
    domain,
    replyMs: options.replyMs,
    underTls: service.tls === 'starttls' && (await wantsTls(context)),
  };
}

/** Whether nothing is taken in clear (530 to RSET, RFC 3207 4): every name would be answered so. */
async function wantsTls(context: ServiceContext): Promise<boolean> {
  if (context.service.protocol !== 'smtp') return false;
  try {
    const session = await smtpSession(context);
    const { code } = await session.ask('RSET');
    session.wire.close();
    return code === 530;
  } catch (thrown) {
    if (Failure.from(thrown).kind === 'permanent') throw thrown;
    return false;
  }
}

/** Told: found. Nothing to tell: absent. Everything else says why it could not be told. */
export function enumerationOutcome(check: Check, result: Enumeration): Outcome {
  const { found: names, controls, verdict, why } = result;
  const extra: Extra = {
    evidence: result.evidence,
    controls: {
      negative: { passed: controls.asked, of: controls.asked },
      repeated: {
        passed: names.reduce((sum, { times }) => sum + times, 0),
        of: names.reduce((sum, { times }) => sum + times, 0),
      },
    },
    details: {
      names: names.slice(0, SHOWN).map(({ name, answer, times }) => ({ name, answer, times })),
      count: names.length,
      probes: result.probes,
      connections: result.connections,
      control: controls.answer,
    },
  };
  const [first] = names;
  if (verdict === 'enumerable' && first !== undefined) {
    const { name, answer, times } = first;
    const seen =
      `${controls.asked} of ${controls.asked} names that nobody has: "${controls.answer}"; ` +
      `${name}: "${answer}", ${times} times; ${names.length} names told`;
    return found(check, seen, extra);
  }
  if (verdict === 'not-enumerable') return absent(check, why, extra);
  if (verdict === 'unsupported') return inapplicable(check, why);
  return unclear(check, why, extra);
}
