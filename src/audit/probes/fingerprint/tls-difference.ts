/** What a server says before and after TLS: keywords that vanish, texts that change, another server. */

import type { Check } from '../../check.ts';
import { absent, found, inapplicable, type Outcome } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { imapSession, pop3Session, sieveSession, smtpSession } from '../../session.ts';

const DIFFERS: Check = {
  id: 'fingerprint.capabilities-differ',
  title: 'Capabilities before and after TLS differ in more than logins',
  severity: 'info',
  means:
    'Another program answers behind TLS (a proxy), or the configuration treats both differently: ' +
    'what is forbidden on one side may be open on the other.',
  doesNotMean: 'It does not say that either side is weak; look at the findings of both.',
  rfc: ['RFC 3207 4.2'],
  cures: [],
};

const REPEATED: Check = {
  id: 'plaintext.starttls-offered-again',
  title: 'STARTTLS is offered again under TLS',
  severity: 'low',
  means: 'The state was not reset as it must be; programs that follow the offer break.',
  doesNotMean: 'Nothing is readable because of it.',
  rfc: ['RFC 3207 4.2', 'RFC 2595 3.1', 'RFC 2595 4'],
  cures: [
    { product: 'postfix', lines: ['Remove the proxy that adds STARTTLS to every EHLO reply.'] },
    { product: 'postern', lines: ['The offer ends with TLS; update Postern.'] },
  ],
};

const REMEMBERED: Check = {
  id: 'plaintext.starttls-state-kept',
  title: 'What was said in clear still counts after STARTTLS',
  severity: 'medium',
  means:
    'Whoever sits in the middle can prepare the session in clear (EHLO, MAIL) and leave the rest ' +
    'to the victim.',
  doesNotMean: 'The octets under TLS themselves cannot be changed.',
  rfc: ['RFC 3207 4.2'],
  cures: [
    { product: 'postfix', lines: ['Update: Postfix since 2.8 forgets the session.'] },
    { product: 'exim', lines: ['Update Exim.'] },
    { product: 'postern', lines: ['The session is forgotten at TLS; update Postern.'] },
  ],
};

export const tlsDifference: ServiceProbe = {
  name: 'tls-difference',
  scope: 'service',
  level: 'safe',
  checks: [DIFFERS, REPEATED, REMEMBERED],
  fits: ({ tls }) => tls === 'starttls',
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const before = await capabilitiesOf(context, false);
  const after = await capabilitiesOf(context, true);
  const gone = before.filter((word) => !after.includes(word) && !EXPECTED.test(word));
  const fresh = after.filter((word) => !before.includes(word) && !EXPECTED.test(word));
  const details = { before, after };
  context.tell(
    gone.length + fresh.length === 0
      ? absent(DIFFERS, 'only TLS and logins differ', { details })
      : found(DIFFERS, `only in clear: ${textOf(gone)}; only under TLS: ${textOf(fresh)}`, {
          details,
        }),
  );
  const again = after.some((word) => word === 'STARTTLS' || word === 'STLS');
  context.tell(
    again
      ? found(REPEATED, 'the offer stands in the list under TLS')
      : absent(REPEATED, 'the offer is gone under TLS'),
  );
  context.tell(await remembered(context));
}

/** Logins come with TLS, and so does what only makes sense there. */
const EXPECTED =
  /^(?:STARTTLS|STLS|LOGINDISABLED|AUTH\b.*|SASL\b.*|USER|REQUIRETLS|SASL-IR|PREAUTH|IMPLEMENTATION.*|X-?(?:CLIENT|FORWARD)|OWNER.*)$/;

/** MAIL in clear, TLS, and RCPT without a new MAIL: it must not be taken. */
async function remembered(context: ServiceContext): Promise<Outcome> {
  if (context.service.protocol !== 'smtp') {
    return inapplicable(REMEMBERED, 'only SMTP has a transaction before the login');
  }
  const session = await smtpSession(context);
  await session.ask('MAIL FROM:<>');
  const agreed = await session.ask('STARTTLS');
  if (agreed.code !== 220) {
    return absent(REMEMBERED, `STARTTLS within a transaction is answered with ${agreed.code}`);
  }
  const tls = await session.wire.startTls(context.service.host);
  if (tls.kind !== 'secure') return inapplicable(REMEMBERED, `no TLS: ${tls.why}`);
  const local = context.recipients.foreign('nobody', context.token()).text;
  const reply = await session.ask(`RCPT TO:<${local}>`);
  const sequence = reply.code === 503 || reply.code === 530 || reply.code === 502;
  const seen = `MAIL in clear, then RCPT under TLS is answered with ${reply.code} ${reply.lines[0] ?? ''}`;
  return sequence || reply.code === 500 || reply.code === 421
    ? absent(REMEMBERED, seen)
    : found(REMEMBERED, seen);
}

async function capabilitiesOf(context: ServiceContext, startTls: boolean): Promise<string[]> {
  switch (context.service.protocol) {
    case 'smtp':
    case 'lmtp': {
      const { wire, keywords } = await smtpSession(context, { startTls });
      wire.line('QUIT');
      return [...keywords].map(([word, rest]) => `${word} ${rest}`.trim());
    }
    case 'imap': {
      const { wire, capabilities } = await imapSession(context, { startTls });
      wire.line('z LOGOUT');
      return [...capabilities];
    }
    case 'pop3': {
      const { wire, capabilities } = await pop3Session(context, { startTls });
      wire.line('QUIT');
      return capabilities.map((line) => line.toUpperCase());
    }
    case 'sieve': {
      const { wire, capabilities } = await sieveSession(context, { startTls });
      wire.line('LOGOUT');
      return capabilities.map((line) => line.toUpperCase());
    }
  }
}

function textOf(words: readonly string[]): string {
  return words.length === 0 ? 'nothing' : words.slice(0, 20).join(', ');
}
