/** HELO and EHLO: whether they are needed, and which names are believed. */

import type { Check } from '../../check.ts';
import { absent, found, inapplicable, type Outcome, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { answered, greeted } from '../../session.ts';
import { ask, replyText, type SmtpReply } from '../../wire/smtp.ts';
import { accepted, attemptIn, postmasterHere } from './transaction.ts';

const MEANS =
  'Spam programs that lie here are let in; it is the cheapest test by which they are recognised.';
const NOT = 'A receiver need not refuse by the name alone; real senders make mistakes here too.';

const EXIM: readonly string[] = [
  'helo_allow_chars =',
  'helo_accept_junk_hosts =',
  '# begin acl, first in acl_check_rcpt:',
  '  deny !hosts = : +relay_from_hosts',
  '       !authenticated = *',
  '       condition = ${if or{{!match{$sender_helo_name}{\\N^(?:\\[.+\\]|(?:[A-Za-z0-9-]+\\.)+[A-Za-z][A-Za-z0-9-]*)$\\N}}{match_domain{$sender_helo_name}{$primary_hostname : +local_domains}}{>{${strlen:$sender_helo_name}}{255}}}}',
  '       message = HELO with a full name of your own, please',
];

function heloCheck(
  id: string,
  title: string,
  rfc: readonly string[],
  line: string,
  postfix: readonly string[] = [line],
  postern: readonly string[] = [`smtpd_helo_restrictions = ["${line}"]`],
): Check {
  return {
    id: `hygiene.${id}`,
    title,
    severity: 'info',
    means: MEANS,
    doesNotMean: NOT,
    rfc,
    cures: [
      {
        product: 'postfix',
        lines: [
          'smtpd_helo_required = yes',
          `smtpd_helo_restrictions = ${postfix[0] ?? ''}`,
          ...postfix.slice(1),
        ],
      },
      { product: 'exim', lines: EXIM },
      {
        product: 'sendmail',
        lines: [
          "define(`confPRIVACY_FLAGS', `needmailhelo')dnl",
          // Without delay_checks the rules of block_bad_helo are there, and never reached.
          "FEATURE(`delay_checks')dnl",
          "FEATURE(`block_bad_helo')dnl",
          'Numbers with dots are a name to it: no setting refuses them.',
        ],
      },
      {
        product: 'opensmtpd',
        lines: [
          'table names { "^([A-Za-z0-9-]+[.])+[A-Za-z][A-Za-z0-9-]*$" }',
          'filter helo-name phase helo match !helo regex <names> reject "550 5.7.1 HELO: a full name, please"',
          'filter ehlo-name phase ehlo match !helo regex <names> reject "550 5.7.1 EHLO: a full name, please"',
          'table own { "mail.example.org", "example.org" }',
          'filter helo-own phase helo match helo <own> reject "550 5.7.1 HELO: that is our name"',
          'filter ehlo-own phase ehlo match helo <own> reject "550 5.7.1 EHLO: that is our name"',
          'filter hello chain { helo-name, ehlo-name, helo-own, ehlo-own }',
          'listen on 0.0.0.0 filter hello',
        ],
      },
      { product: 'postern', lines: postern },
    ],
  };
}

const REQUIRED = heloCheck(
  'helo-not-required',
  'MAIL is taken without HELO or EHLO',
  ['RFC 5321 4.1.1.1'],
  'reject_invalid_helo_hostname',
);
const SYNTAX = heloCheck(
  'helo-syntax',
  'EHLO with an impossible name is believed',
  ['RFC 5321 4.1.1.1', 'RFC 5321 4.1.4'],
  'reject_invalid_helo_hostname',
);
const UNQUALIFIED = heloCheck(
  'helo-not-fqdn',
  'EHLO with a name of one label is believed',
  ['RFC 5321 2.3.5'],
  'reject_non_fqdn_helo_hostname',
);
const BARE_IP = heloCheck(
  'helo-bare-address',
  'EHLO with an address without brackets is believed',
  ['RFC 5321 4.1.3'],
  'reject_invalid_helo_hostname',
  // Postfix takes dotted numbers for a name.
  [
    'check_helo_access regexp:/etc/postfix/numbers',
    '# /etc/postfix/numbers:',
    '/^[0-9.]+$/ REJECT',
  ],
);
const OWN = heloCheck(
  'helo-own-name',
  'EHLO with the name of the server itself is believed',
  ['RFC 5321 4.1.4'],
  '',
  ['check_helo_access inline:{{mail.example.org=REJECT}, {example.org=REJECT}}'],
  [
    'smtpd_helo_restrictions = ["check_helo_access /etc/postern/own-names"]',
    '# /etc/postern/own-names:',
    'mail.example.org REJECT',
    'example.org REJECT',
  ],
);
const LOCALHOST = heloCheck(
  'helo-localhost',
  'EHLO localhost is believed from elsewhere',
  ['RFC 5321 2.3.5'],
  'reject_non_fqdn_helo_hostname',
);
const LONG = heloCheck(
  'helo-too-long',
  'EHLO with a name beyond 255 octets is believed',
  ['RFC 5321 4.5.3.1.2'],
  'reject_invalid_helo_hostname',
);

export const helo: ServiceProbe = {
  name: 'helo',
  scope: 'service',
  level: 'safe',
  checks: [REQUIRED, SYNTAX, UNQUALIFIED, BARE_IP, OWN, LOCALHOST, LONG],
  fits: ({ protocol, role }) => protocol === 'smtp' && role === 'reception',
  run,
};

async function run(context: ServiceContext): Promise<void> {
  context.tell(await required(context));
  // The negative control: how far a name without fault gets, with the same mail behind it.
  const control = await trial(context, context.options.heloName);
  const own = context.recipients.own.find((name) => name.includes('.') && !/^[\d.]+$/.test(name));
  const cases: readonly [Check, string | undefined][] = [
    [SYNTAX, 'not_a!name'],
    [UNQUALIFIED, context.token()],
    [BARE_IP, '192.0.2.1'],
    [OWN, own],
    [LOCALHOST, 'localhost'],
    [LONG, `${`${'a'.repeat(60)}.`.repeat(5)}invalid`],
  ];
  for (const [check, name] of cases) {
    if (name === undefined) context.tell(inapplicable(check, 'the server tells no name'));
    else {
      const result = await trial(context, name);
      const seen = `EHLO ${name.slice(0, 40)}: ${result.text}`;
      const controls = { negative: { passed: 1, of: 1 } };
      if (isThrough(result)) context.tell(found(check, seen, { controls }));
      else if (isThrough(control) && isLater(result)) context.tell(unclear(check, seen));
      else if (control.step !== 'RCPT' || isAboutUs(control)) {
        context.tell(unclear(check, `a good name does not get through either: ${control.text}`));
      } else context.tell((sameWay(control, result) ? found : absent)(check, seen, { controls }));
    }
  }
}

/** Where a session with this name ended, and with which answer. */
interface Trial {
  readonly step: 'EHLO' | 'MAIL' | 'RCPT';
  readonly reply: SmtpReply;
  readonly text: string;
}

/** Refusals may come with EHLO, with MAIL, or (as Postfix likes it) only with RCPT. */
async function trial(context: ServiceContext, name: string): Promise<Trial> {
  const { replyMs } = context.options;
  const { wire, greeting } = await greeted(context);
  const asking = async (line: string) =>
    answered(await ask(wire, line, replyMs), line.split(/[ :]/, 1)[0] ?? '');
  try {
    const ehlo = await asking(`EHLO ${name}`);
    if (!accepted(ehlo)) return at('EHLO', ehlo);
    const session = { wire, greeting, ehlo, keywords: new Map(), ask: asking };
    const nobody = await attemptIn(session, '', postmasterHere(context));
    // Some take no notices: then as somebody.
    const { mail, rcpt } = accepted(nobody.mail)
      ? nobody
      : await attemptIn(session, `audit@${context.token()}.invalid`, postmasterHere(context));
    return rcpt === undefined ? at('MAIL', mail) : at('RCPT', rcpt);
  } finally {
    wire.line('QUIT');
    wire.close();
  }
}

function at(step: Trial['step'], reply: SmtpReply): Trial {
  return { step, reply, text: `${step} is answered with "${replyText(reply)}"` };
}

function isThrough({ step, reply }: Trial): boolean {
  return step === 'RCPT' && accepted(reply);
}

/** Put off, and not for the name: who asks often may hear that (rate limits). */
function isLater({ reply, text }: Trial): boolean {
  return reply.code >= 400 && reply.code < 500 && !/\b(?:helo|ehlo|host)\b/i.test(text);
}

/** A refusal of the name (ours does not resolve), or for good of the client, whatever its name. */
function isAboutUs({ reply, text }: Trial): boolean {
  if (accepted(reply)) return false;
  return /\bhelo\b/i.test(text) || (reply.code >= 500 && /\bclient host\b/i.test(text));
}

/** The same answer as for a good name: whatever was said, it was not about the name. */
function sameWay(control: Trial, { step, reply }: Trial): boolean {
  return (
    step === control.step &&
    reply.code === control.reply.code &&
    reply.enhanced === control.reply.enhanced
  );
}

async function required(context: ServiceContext): Promise<Outcome> {
  const { replyMs } = context.options;
  const { wire } = await greeted(context);
  const reply = answered(await ask(wire, 'MAIL FROM:<>', replyMs), 'MAIL');
  wire.close();
  const seen = `MAIL before EHLO is answered with "${replyText(reply)}"`;
  return accepted(reply) ? found(REQUIRED, seen) : absent(REQUIRED, seen);
}
