/** SMTP AUTH without TLS: whether it is offered, and whether it is taken (which need not agree). */

import type { Check } from '../../check.ts';
import { absent, found, inapplicable } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { smtpSession } from '../../session.ts';
import { replyText } from '../../wire/smtp.ts';
import { TLS_BEFORE_LOGIN } from './cures.ts';

const OFFERED: Check = {
  id: 'plaintext.smtp-auth-offered',
  title: 'SMTP AUTH is offered before TLS',
  severity: 'high',
  means:
    'Mail programs that see the offer may send the password in clear; anyone on the way reads it.',
  doesNotMean: 'It does not say that somebody logged in this way already.',
  rfc: ['RFC 4954 4', 'RFC 8314 3.3'],
  cures: TLS_BEFORE_LOGIN,
};

const ACCEPTED: Check = {
  id: 'plaintext.smtp-auth-accepted',
  title: 'SMTP AUTH with a password in clear is taken before TLS, offered or not',
  severity: 'high',
  means: 'A program that is configured to log in does so in clear, whatever the server announces.',
  doesNotMean: 'The test names no real account and sends no password.',
  rfc: ['RFC 4954 4', 'RFC 8314 3.3'],
  cures: TLS_BEFORE_LOGIN,
};

export const authBeforeTls: ServiceProbe = {
  name: 'auth-before-tls',
  scope: 'service',
  level: 'safe',
  checks: [OFFERED, ACCEPTED],
  fits: ({ protocol, tls }) => protocol === 'smtp' && tls !== 'implicit',
  run,
};

/** Mechanisms that send a password, or a token that stands for it, as it is. */
const SHOWN = /(?:^|[ =])(?:PLAIN|LOGIN|XOAUTH2|OAUTHBEARER|OAUTH10A)(?: |$)/i;

async function run(context: ServiceContext): Promise<void> {
  const session = await smtpSession(context);
  const offered = session.keywords.get('AUTH');
  if (offered === undefined) context.tell(absent(OFFERED, 'AUTH is not in the EHLO reply'));
  else {
    const shown = SHOWN.test(offered);
    const seen = `AUTH ${offered} is offered in clear`;
    context.tell(
      shown
        ? found(OFFERED, seen)
        : found(OFFERED, `${seen}; none of them shows the password`, { severity: 'low' }),
    );
  }
  // A mechanism that no server has first: where that is refused as every AUTH is, nothing of the
  // refusal below is about clear text.
  const control = await session.ask('AUTH X-NO-SUCH-MECHANISM');
  const plain = await session.ask('AUTH PLAIN');
  const controls = { negative: { passed: control.code >= 500 ? 1 : 0, of: 1 } };
  const said = `AUTH PLAIN is answered with "${replyText(plain)}"`;
  if (plain.code === 334) {
    await session.ask('*');
    context.tell(found(ACCEPTED, `${said}: a password would be next`, { controls }));
  } else if (plain.code === 500 || plain.code === 502) {
    context.tell(inapplicable(ACCEPTED, `there is no AUTH at all: ${said}`));
  } else context.tell(absent(ACCEPTED, said, { controls }));
  session.wire.line('QUIT');
}
