/** AUTH at the wrong time and in wrong forms: what a careless state machine lets through. */

import { Failure } from '#base/failure.ts';
import type { Check } from '../../check.ts';
import { loggedIn, NO_LOGINS } from '../../content/submit.ts';
import { absent, found, inapplicable, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { answered, opened, smtpSession } from '../../session.ts';
import { ask, readReply, replyText } from '../../wire/smtp.ts';

const CURES: Check['cures'] = [
  { product: 'postfix', lines: ['smtpd_helo_required = yes', 'Update Postfix.'] },
  { product: 'exim', lines: ['Update Exim.'] },
  { product: 'postern', lines: ['Update Postern.'] },
];

const BEFORE_EHLO: Check = {
  id: 'hygiene.auth-before-ehlo',
  title: 'AUTH is taken before EHLO',
  severity: 'low',
  means: 'The order of commands is not enforced where it matters; such states are seldom tested.',
  doesNotMean: 'The password is still needed.',
  rfc: ['RFC 4954 4'],
  cures: CURES,
};

const IN_MAIL: Check = {
  id: 'hygiene.auth-in-transaction',
  title: 'AUTH is taken within a mail transaction',
  severity: 'low',
  means: 'A transaction that a stranger began is finished with the rights of a login.',
  doesNotMean: 'The password is still needed.',
  rfc: ['RFC 4954 4'],
  cures: CURES,
};

const UNKNOWN: Check = {
  id: 'hygiene.auth-unknown-mechanism',
  title: 'An unknown mechanism is not refused with 504',
  severity: 'info',
  means: 'Clients cannot tell a mechanism that is missing from a login that failed.',
  doesNotMean: 'Nothing is open because of it.',
  rfc: ['RFC 4954 4'],
  cures: CURES,
};

const BASE64: Check = {
  id: 'hygiene.auth-bad-base64',
  title: 'A response that is no base64 is not refused with 501',
  severity: 'info',
  means: 'Octets that cannot be decoded are handed on to the check of passwords.',
  doesNotMean: 'Nothing is open because of it.',
  rfc: ['RFC 4954 4', 'RFC 4648 3.3'],
  cures: CURES,
};

const ABORT: Check = {
  id: 'hygiene.auth-abort',
  title: 'A login that is given up is not answered with 501',
  severity: 'info',
  means: 'The * that ends a login is handed to the check of passwords, or leaves it hanging.',
  doesNotMean: 'Nothing is open because of it.',
  rfc: ['RFC 4954 4'],
  cures: CURES,
};

const TWICE: Check = {
  id: 'hygiene.auth-twice',
  title: 'A second login is taken in a session that has one',
  severity: 'low',
  means: 'What was begun with the rights of one account goes on with those of another.',
  doesNotMean: 'Both passwords are needed.',
  rfc: ['RFC 4954 4'],
  cures: CURES,
};

export const authManners: ServiceProbe = {
  name: 'auth-manners',
  scope: 'service',
  level: 'safe',
  checks: [BEFORE_EHLO, IN_MAIL, UNKNOWN, BASE64, ABORT, TWICE],
  fits: ({ protocol }) => protocol === 'smtp',
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const startTls = context.service.tls === 'starttls';
  const session = await smtpSession(context, { startTls });
  if (!session.keywords.has('AUTH')) {
    for (const check of authManners.checks) {
      context.tell(inapplicable(check, 'AUTH is not offered'));
    }
    return;
  }
  const unknown = await session.ask('AUTH X-NO-SUCH');
  const said = `it is answered with "${replyText(unknown)}"`;
  context.tell((unknown.code === 504 ? absent : found)(UNKNOWN, said));
  const mail = await session.ask('MAIL FROM:<>');
  if (mail.code === 250) {
    const inMail = await session.ask('AUTH PLAIN');
    const seen = `after MAIL it is answered with "${replyText(inMail)}"`;
    context.tell((inMail.code === 334 ? found : absent)(IN_MAIL, seen));
    if (inMail.code === 334) await session.ask('*');
    await session.ask('RSET');
  } else context.tell(inapplicable(IN_MAIL, 'no transaction without a login'));
  const broken = await session.ask('AUTH PLAIN !!!not-base64!!!');
  const answer = `it is answered with "${replyText(broken)}"`;
  // 535 would mean that somebody compared a password.
  context.tell((broken.code === 501 ? absent : found)(BASE64, answer));
  const begun = await session.ask('AUTH PLAIN');
  if (begun.code === 334) {
    const given = await session.ask('*');
    const seen = `it is answered with "${replyText(given)}"`;
    context.tell((given.code === 501 ? absent : found)(ABORT, seen));
  } else context.tell(inapplicable(ABORT, `AUTH PLAIN is answered with "${replyText(begun)}"`));
  session.wire.close();
  await beforeEhlo(context);
  await afterLogin(context);
}

async function afterLogin(context: ServiceContext): Promise<void> {
  const { account } = context.options;
  if (account === undefined) {
    return context.tell(inapplicable(TWICE, 'no account was given (--account)'));
  }
  const session = await loggedIn(context, { account }).catch(Failure.from);
  if (session instanceof Failure) {
    if (session.kind === 'permanent') throw session;
    const tell = session.code === NO_LOGINS ? inapplicable : unclear;
    return context.tell(tell(TWICE, session.message));
  }
  const again = await session.ask('AUTH PLAIN');
  session.wire.close();
  const seen = `after a login it is answered with "${replyText(again)}"`;
  context.tell((again.code === 334 ? found : absent)(TWICE, seen));
}

async function beforeEhlo(context: ServiceContext): Promise<void> {
  const { replyMs } = context.options;
  // Behind STARTTLS EHLO comes first; in clear only what is offered there counts.
  const clear = await smtpSession(context);
  clear.wire.close();
  const offered = (clear.keywords.get('AUTH') ?? '').toUpperCase().split(' ');
  const mechanism = offered.includes('PLAIN') ? 'PLAIN' : offered[0];
  if (mechanism === undefined || mechanism === '') {
    context.tell(inapplicable(BEFORE_EHLO, 'before EHLO there is no TLS here, and so no AUTH'));
    return;
  }
  const wire = await opened(context);
  answered(await readReply(wire, replyMs), 'greeting');
  const reply = answered(await ask(wire, `AUTH ${mechanism}`, replyMs), 'AUTH');
  const seen = `before EHLO it is answered with "${replyText(reply)}"`;
  context.tell((reply.code === 334 ? found : absent)(BEFORE_EHLO, seen));
  wire.close();
}
