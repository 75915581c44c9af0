/** A client that speaks before it is greeted: spam programs do, and servers can tell them by it. */

import type { Check } from '../../check.ts';
import { absent, found } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { opened } from '../../session.ts';
import { readReply, replyText } from '../../wire/smtp.ts';
import { isLost, lossText } from '../../wire/wire.ts';

const EARLY: Check = {
  id: 'hygiene.early-talker',
  title: 'Clients that speak before the greeting are served',
  severity: 'info',
  means: 'The cheapest mark of spam programs is not used: they do not wait for the greeting.',
  doesNotMean:
    'It is an omission, no hole; where a greeting comes at once there is nothing to wait for.',
  rfc: ['RFC 5321 3.1', 'RFC 5321 4.3.1'],
  cures: [
    {
      product: 'postfix',
      lines: ['postscreen_greet_action = enforce', 'smtpd_forbid_unauth_pipelining = yes'],
    },
    {
      product: 'exim',
      lines: ['smtp_enforce_sync = true', 'acl_smtp_connect = acl_check_connect (with delay = 2s)'],
    },
    { product: 'sendmail', lines: ["FEATURE(`greet_pause', `2000')dnl"] },
    { product: 'postern', lines: ['smtpd_greeting_delay = "1s"'] },
  ],
};

const NO_GREETING: Check = {
  id: 'hygiene.slow-greeting',
  title: 'The greeting takes more than five seconds',
  severity: 'info',
  means: 'Clients wait or give up; each connection is held open longer than needed.',
  doesNotMean: 'It may be on purpose, to catch clients that speak too early.',
  rfc: ['RFC 5321 4.5.3.2.1'],
  cures: [],
};

export const earlyTalker: ServiceProbe = {
  name: 'early-talker',
  scope: 'service',
  level: 'active',
  checks: [EARLY, NO_GREETING],
  fits: ({ protocol, role, tls }) =>
    protocol === 'smtp' && role === 'reception' && tls !== 'implicit',
  // Whoever is caught may be kept out for a while.
  alone: true,
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const patient = await opened(context);
  const slow = await readReply(patient, 8_000);
  patient.close();
  if (isLost(slow)) context.tell(found(NO_GREETING, `no greeting: ${lossText(slow)}`));
  else {
    const seen = `it came after ${Math.round(slow.ms)} ms`;
    context.tell((slow.ms > 5_000 ? found : absent)(NO_GREETING, seen));
  }
  for (let turn = 1; ; turn += 1) {
    const { served, seen } = await speakEarly(context);
    if (!served || turn === TURNS) {
      context.tell((served ? found : absent)(EARLY, seen));
      return;
    }
  }
}

/**
 * A server that looks for early octets once, as it greets, may be quicker than ours: only who serves
 * us every time does not look.
 */
const TURNS = 8;

async function speakEarly(context: ServiceContext) {
  const { replyMs, heloName } = context.options;
  const wire = await opened(context);
  wire.line(`EHLO ${heloName}`);
  const greeting = await readReply(wire, Math.max(replyMs, 8_000));
  if (isLost(greeting) || greeting.code !== 220) {
    const words = isLost(greeting) ? lossText(greeting) : replyText(greeting);
    wire.close();
    return { served: false, seen: `greeted with "${words}"` };
  }
  const answer = await readReply(wire, replyMs);
  wire.close();
  if (isLost(answer)) return { served: false, seen: `after the greeting: ${lossText(answer)}` };
  const text = replyText(answer).slice(0, 120);
  return {
    served: answer.code === 250,
    seen: `EHLO before the greeting is answered with "${text}"`,
  };
}
