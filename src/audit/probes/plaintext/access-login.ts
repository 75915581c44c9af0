/** IMAP, POP3 and ManageSieve in clear: logins offered, logins taken, sessions open to anybody. */

import type { Check } from '../../check.ts';
import { absent, found, inapplicable, likely, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { imapSession, pop3Session } from '../../session.ts';
import { offers } from '../../service.ts';
import { askImap } from '../../wire/imap.ts';
import { isLost, lossText } from '../../wire/wire.ts';
import { checkedMs, openDoor } from './door.ts';
import { TLS_BEFORE_LOGIN } from './cures.ts';

const CLEAR_MEANS = 'Mail programs send the password in clear; anyone on the way reads it.';
const CLEAR_NOT = 'It does not say that somebody logged in this way already.';

function clearCheck(id: string, title: string, rfc: readonly string[]): Check {
  return {
    id: `plaintext.${id}`,
    title,
    severity: 'high',
    means: CLEAR_MEANS,
    doesNotMean: CLEAR_NOT,
    rfc: [...rfc, 'RFC 8314 3'],
    cures: TLS_BEFORE_LOGIN,
  };
}

const LOGINDISABLED = clearCheck(
  'imap-logindisabled-missing',
  'IMAP does not forbid LOGIN before TLS (no LOGINDISABLED)',
  ['RFC 3501 6.2.3', 'RFC 3501 11.1'],
);
const LOGIN = clearCheck('imap-login-accepted', 'IMAP takes LOGIN before TLS', ['RFC 3501 6.2.3']);
const OFFERED = clearCheck(
  'access-auth-offered',
  'A mechanism that shows the password is offered before TLS',
  ['RFC 3501 6.2.2', 'RFC 5034 6', 'RFC 5804 2.1'],
);
const TAKEN = clearCheck('access-auth-accepted', 'PLAIN is begun before TLS, offered or not', [
  'RFC 3501 6.2.2',
  'RFC 5034 6',
  'RFC 5804 2.1',
]);
const USER = clearCheck('pop3-user-accepted', 'POP3 takes USER before TLS', [
  'RFC 1939 7',
  'RFC 2595 4',
]);

const PREAUTH: Check = {
  id: 'plaintext.imap-preauth',
  title: 'IMAP greets strangers as logged in (PREAUTH)',
  severity: 'critical',
  means: 'Whoever connects reads a mailbox without a password.',
  doesNotMean:
    'It is meant for programs that are started locally; behind a tunnel it may be wanted.',
  rfc: ['RFC 3501 7.1.4'],
  cures: [
    { product: 'dovecot', lines: ['Do not bind the imap binary to a port; use imap-login.'] },
    { product: 'postern', lines: ['PREAUTH is never said; update Postern.'] },
  ],
};

export const accessLogin: ServiceProbe = {
  name: 'access-login',
  scope: 'service',
  level: 'safe',
  checks: [OFFERED, TAKEN, USER, PREAUTH],
  fits: ({ protocol, tls }) =>
    tls !== 'implicit' && (protocol === 'imap' || protocol === 'pop3' || protocol === 'sieve'),
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const { protocol, greeting } = context.service;
  if (protocol === 'imap') {
    const preauth = /^\* PREAUTH\b/i.test(greeting);
    context.tell(
      preauth ? found(PREAUTH, 'the greeting is PREAUTH') : absent(PREAUTH, 'the greeting is OK'),
    );
  } else context.tell(inapplicable(PREAUTH, 'this is not IMAP'));
  if (protocol === 'pop3') await pop3User(context);
  else context.tell(inapplicable(USER, 'this is not POP3'));
  await mechanisms(context);
}

/** Alone: servers delay everybody at an address where a login failed. */
export const imapLogin: ServiceProbe = {
  name: 'imap-login',
  scope: 'service',
  level: 'safe',
  checks: [LOGINDISABLED, LOGIN],
  fits: ({ protocol, tls }) => protocol === 'imap' && tls !== 'implicit',
  alone: true,
  run: tryLogin,
};

/** An account that cannot exist, a password that is none: only the kind of the refusal counts. */
async function tryLogin(context: ServiceContext): Promise<void> {
  const { wire, capabilities } = await imapSession(context);
  const forbidden = capabilities.includes('LOGINDISABLED');
  context.tell(
    forbidden
      ? absent(LOGINDISABLED, 'LOGINDISABLED is in the list')
      : found(LOGINDISABLED, 'LOGINDISABLED is not in the list'),
  );
  const login = `LOGIN ${context.token()} ${context.token()}`;
  const waitMs = checkedMs(context);
  const answer = await askImap(wire, 'z0', login, waitMs);
  if (isLost(answer)) {
    // Failed logins are answered late; that TLS comes first is said at once.
    const seen = `LOGIN in clear is not refused at once, nor answered within ${waitMs} ms`;
    const tell = forbidden || answer.kind !== 'timeout' ? unclear : likely;
    context.tell(tell(LOGIN, answer.kind === 'timeout' ? seen : lossText(answer)));
    return;
  }
  const seen = `LOGIN in clear is answered with "${answer.status.toUpperCase()} ${answer.text}"`;
  const judged = /\[(?:AUTHENTICATIONFAILED|AUTHORIZATIONFAILED|EXPIRED|UNAVAILABLE)\]/i.test(
    answer.text,
  );
  if (answer.status === 'ok' || judged) context.tell(found(LOGIN, seen));
  else if (answer.status === 'no' && !forbidden && !FORBIDS.test(answer.text)) {
    context.tell(likely(LOGIN, `${seen}: it seems to have looked at the password`));
  } else context.tell(absent(LOGIN, seen));
  wire.line('z LOGOUT');
}

/** Words by which servers say that it is the missing TLS, not the password. */
const FORBIDS =
  /PRIVACYREQUIRED|TLS|SSL|plaintext|encrypt|secure|disabled|not (?:allowed|permitted)/i;

async function pop3User(context: ServiceContext): Promise<void> {
  const { ask } = await pop3Session(context);
  const answer = await ask(`USER ${context.token()}`);
  const seen = `USER in clear is answered with "${answer.status === 'ok' ? '+OK' : '-ERR'} ${answer.text}"`;
  context.tell(
    answer.status === 'ok' ? found(USER, `${seen}: PASS would follow`) : absent(USER, seen),
  );
}

async function mechanisms(context: ServiceContext): Promise<void> {
  const door = await openDoor(context);
  const shown = door.mechanisms.filter((name) => name === 'PLAIN' || name === 'LOGIN');
  const user = context.service.protocol === 'pop3' && offers(context.service, 'USER');
  const list = [...shown, ...(user ? ['USER'] : [])].join(', ');
  context.tell(
    list === ''
      ? absent(OFFERED, 'neither PLAIN nor LOGIN nor USER is offered in clear')
      : found(OFFERED, `${list} offered in clear`),
  );
  const step = await door.begin('PLAIN');
  const seen = `PLAIN in clear is answered with "${step.kind === 'challenge' ? '+' : step.text}"`;
  context.tell(
    step.kind === 'challenge'
      ? found(TAKEN, `${seen}: the password would follow`)
      : absent(TAKEN, seen),
  );
  if (step.kind === 'challenge') door.wire.line(context.service.protocol === 'sieve' ? '"*"' : '*');
}
