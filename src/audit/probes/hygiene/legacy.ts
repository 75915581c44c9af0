/** Commands of other times, tried and not only listed: debugging, turning around, sending to screens. */

import type { Check, Severity } from '../../check.ts';
import { absent, found, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { smtpSession } from '../../session.ts';
import { replyText } from '../../wire/smtp.ts';

function legacyCheck(
  id: string,
  title: string,
  severity: Severity,
  means: string,
  rfc: readonly string[],
): Check {
  return {
    id: `exposure.${id}`,
    title,
    severity,
    means,
    doesNotMean: 'The test goes no further than the first answer.',
    rfc,
    cures: [
      {
        product: 'postfix',
        lines: [
          'smtpd_discard_ehlo_keywords = etrn, silent-discard',
          'smtpd_etrn_restrictions = permit_mynetworks, reject',
        ],
      },
      { product: 'exim', lines: ['acl_smtp_etrn =', 'acl_smtp_expn ='] },
      { product: 'sendmail', lines: ["define(`confPRIVACY_FLAGS', `goaway,noetrn,noverb')dnl"] },
      { product: 'postern', lines: ['The command does not exist; update Postern.'] },
    ],
  };
}

const TURN = legacyCheck(
  'turn',
  'TURN is taken',
  'high',
  'A stranger turns the connection around and is handed the mail that waits for somebody else.',
  ['RFC 5321 F.1'],
);
const ATRN = legacyCheck(
  'atrn',
  'ATRN is taken without a login',
  'high',
  'A stranger is handed the mail that waits for a domain.',
  ['RFC 2645 5.2.1'],
);
const ETRN = legacyCheck(
  'etrn',
  'ETRN is taken from strangers',
  'low',
  'Anybody starts runs of the queue and learns which domains wait in it.',
  ['RFC 1985 5'],
);
const DEBUG = legacyCheck(
  'debug',
  'DEBUG or WIZ is taken',
  'critical',
  'The doors of 1988: commands run as the server.',
  [],
);
const VERB = legacyCheck(
  'verb',
  'VERB is taken',
  'low',
  'Deliveries are told in detail: programs, paths, internal hosts.',
  [],
);
const SEND = legacyCheck(
  'send',
  'SEND, SOML or SAML is taken',
  'low',
  'Texts are written to the screens of users; the commands are obsolete.',
  ['RFC 5321 F.6'],
);
const EXCH50 = legacyCheck(
  'xexch50',
  'XEXCH50 is taken',
  'medium',
  'Binary data of another server is read from strangers; it had holes.',
  [],
);

/** Two a session: who tries many commands is slowed down or thrown out. */
const TRIES: readonly (readonly [Check, readonly string[]])[] = [
  [TURN, ['TURN']],
  [ATRN, ['ATRN audit.invalid']],
  // Exim's own ETRN knows the form with # alone (RFC 1985 5.2 leaves such signs to servers).
  [ETRN, ['ETRN audit.invalid', 'ETRN #audit.invalid']],
  [DEBUG, ['DEBUG', 'WIZ']],
  [VERB, ['VERB']],
  [SEND, ['SEND FROM:<>', 'SOML FROM:<>', 'SAML FROM:<>']],
  [EXCH50, ['XEXCH50 1 1']],
];

export const legacy: ServiceProbe = {
  name: 'legacy',
  scope: 'service',
  level: 'safe',
  checks: TRIES.map(([check]) => check),
  fits: ({ protocol }) => protocol === 'smtp',
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const control = await smtpSession(context);
  const nonsense = await control.ask('XYZZY');
  control.wire.close();
  if (nonsense.code < 300) {
    const why = `a command that does not exist is answered with "${replyText(nonsense)}"`;
    for (const [check] of TRIES) context.tell(unclear(check, why));
    return;
  }
  for (const [check, lines] of TRIES) {
    const session = await smtpSession(context);
    const said: string[] = [];
    let taken = false;
    let busy = false;
    for (const line of lines) {
      const reply = await session.ask(line);
      said.push(`${line} "${replyText(reply)}"`);
      // ETRN of a domain that is not there: 250 to 253 (RFC 1985 5.3), and 459 looked it up.
      // 421 and 450 to 457 are about the server, or about us, and say nothing of the command.
      busy ||= reply.code === 421 || (reply.code >= 450 && reply.code < 458);
      taken ||= (reply.code >= 200 && reply.code < 400 && reply.code !== 252) || reply.code === 459;
    }
    session.wire.close();
    const seen = said.join(', ').slice(0, 300);
    context.tell((taken ? found : busy ? unclear : absent)(check, seen));
  }
}
