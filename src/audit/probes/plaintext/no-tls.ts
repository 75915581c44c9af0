/** TLS that is missing, or offered and broken, wherever somebody talks in clear. */

import type { Check, Severity } from '../../check.ts';
import { absent, found, inapplicable, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { opened } from '../../session.ts';
import type { Service } from '../../service.ts';
import { openDoor } from './door.ts';
import { TLS_AT_ALL } from './cures.ts';
import { askImap, readImap } from '../../wire/imap.ts';
import { askPop3, readPop3 } from '../../wire/pop3.ts';
import { askSieve, readSieve } from '../../wire/sieve.ts';
import { ask, readReply, replyText } from '../../wire/smtp.ts';
import { GREETING_MS } from '../../wire/limits.ts';
import { isLost, lossText, type Wire } from '../../wire/wire.ts';
import { askHello } from '../../tls/ask.ts';
import type { HelloQuestion } from '../../tls/client-hello.ts';
import { SUITES } from '../../tls/codes.ts';

const MISSING: Check = {
  id: 'plaintext.no-tls',
  title: 'The service offers no TLS',
  severity: 'high',
  means:
    'Passwords and mail go over the network in clear; anyone on the way reads and changes them.',
  doesNotMean: 'On port 25 it is milder: other servers may be reached in clear by the standard.',
  rfc: ['RFC 3207 1', 'RFC 8314 3', 'RFC 2595 2.1'],
  cures: TLS_AT_ALL,
};

const BROKEN: Check = {
  id: 'plaintext.starttls-broken',
  title: 'STARTTLS is offered but does not work',
  severity: 'high',
  means:
    'Clients that insist on TLS cannot connect, and the others go on in clear: as unsafe as no TLS.',
  doesNotMean: 'It may be a missing key file or a protocol version that we do not speak.',
  rfc: ['RFC 3207 4', 'RFC 3207 4.1'],
  cures: TLS_AT_ALL,
};

const UNOFFERED: Check = {
  id: 'plaintext.starttls-hidden',
  title: 'STARTTLS works but is not offered',
  severity: 'medium',
  means:
    'Programs that look at the list stay in clear. Something on the way may be taking the offer out.',
  doesNotMean: 'It does not say who hides it: the server, a firewall, or an attacker beside us.',
  rfc: ['RFC 3207 6', 'RFC 7435 3'],
  cures: [
    { product: 'postfix', lines: ['smtpd_discard_ehlo_keywords ='] },
    { product: 'exim', lines: ['tls_advertise_hosts = *'] },
    {
      product: 'postern',
      lines: ['Look for a firewall that rewrites SMTP ("fixup", "inspect esmtp").'],
    },
  ],
};

export const noTls: ServiceProbe = {
  name: 'no-tls',
  scope: 'service',
  level: 'safe',
  checks: [MISSING, BROKEN, UNOFFERED],
  fits: ({ tls }) => tls !== 'implicit',
  run,
};

/** What firewalls that inspect SMTP write over STARTTLS: as many letters, or nearly. */
const MASKED = /^X{6,9}A?$/;

async function run(context: ServiceContext): Promise<void> {
  const { service } = context;
  const severity = severityOf(service);
  const wire = await opened(context);
  const said = await askForTls(context, wire);
  if (said.refusal !== undefined) {
    const tell = said.refusal >= 500 ? inapplicable : unclear;
    for (const check of noTls.checks) context.tell(tell(check, said.text));
    return;
  }
  if (service.tls === 'none') {
    context.tell(inapplicable(BROKEN, 'STARTTLS is not offered'));
    if (said.lost) {
      for (const check of [MISSING, UNOFFERED]) context.tell(unclear(check, said.text));
      return;
    }
    const mask = service.capabilities.find((line) => MASKED.test(line));
    const taken = mask === undefined ? '' : `; "${mask}" stands where a firewall took an offer out`;
    const works = said.agreed && (await wire.startTls(service.host)).kind === 'secure';
    context.tell(
      works
        ? found(UNOFFERED, 'it is not in the list, and TLS began all the same', { severity })
        : absent(UNOFFERED, `asked for all the same, the answer is "${said.text}"`),
    );
    context.tell(
      works
        ? absent(MISSING, 'TLS works, though nothing says so')
        : found(MISSING, `no offer of TLS; asked for it, the answer is "${said.text}"${taken}`, {
            severity,
          }),
    );
    return;
  }
  context.tell(absent(MISSING, 'TLS is offered'));
  context.tell(inapplicable(UNOFFERED, 'it is offered'));
  if (said.lost) {
    context.tell(unclear(BROKEN, `no answer to STARTTLS: ${said.text}`));
    return;
  }
  if (!said.agreed) {
    const seen = `STARTTLS is answered with "${said.text}"`;
    // 454: not now (RFC 3207 4); tried again by another probe it may work.
    context.tell(found(BROKEN, seen, { severity }));
    return;
  }
  const tls = await wire.startTls(service.host);
  if (tls.kind !== 'secure') {
    const works = await oddTls(context);
    context.tell(
      works === undefined
        ? found(BROKEN, `the handshake fails: ${tls.why}`, { severity })
        : absent(BROKEN, `TLS begins, but with ${works} alone`),
    );
    return;
  }
  // Under TLS the service must speak again: a door that opens shows that.
  const door = await openDoor(context, { startTls: true });
  context.tell(absent(BROKEN, 'TLS began, and the service answers under it'));
  door.wire.close();
}

/** What is too old or too weak for us still works between others; checks of the group tls tell it. */
async function oddTls(context: ServiceContext): Promise<string | undefined> {
  const asked = async (question: HelloQuestion): Promise<boolean> =>
    (await askHello(context, question)).kind === 'hello';
  const anonymous = [...SUITES.anonymous];
  if (await asked({ version: 'TLSv1.2', suites: anonymous })) return 'anonymous ciphers';
  const old = [...SUITES.cbc, ...SUITES.staticRsa, ...SUITES.rc4, ...SUITES.tripleDes];
  for (const version of ['TLSv1.1', 'TLSv1.0'] as const) {
    if (await asked({ version, suites: old })) return version;
  }
  return undefined;
}

/** Strangers' mail on port 25 and LMTP beside the server may be in clear; users' never. */
function severityOf({ role }: Service): Severity {
  if (role === 'reception') return 'medium';
  return role === 'delivery' ? 'low' : 'high';
}

interface Said {
  readonly agreed: boolean;
  readonly lost: boolean;
  readonly text: string;
  /** The code of a greeting that says that nobody is served. */
  readonly refusal?: number;
}

async function askForTls({ service, options }: ServiceContext, wire: Wire): Promise<Said> {
  const { replyMs, heloName } = options;
  // Some greet late on purpose (greet_pause, postscreen).
  const greetMs = Math.max(replyMs, GREETING_MS);
  if (service.protocol === 'imap') {
    const greeting = await readImap(wire, '', greetMs);
    if (isLost(greeting)) return lost(lossText(greeting));
    const answer = await askImap(wire, 'a1', 'STARTTLS', replyMs);
    if (isLost(answer)) return lost(lossText(answer));
    return { agreed: answer.status === 'ok', lost: false, text: answer.text };
  }
  if (service.protocol === 'pop3') {
    const greeting = await readPop3(wire, greetMs);
    if (isLost(greeting)) return lost(lossText(greeting));
    const answer = await askPop3(wire, 'STLS', replyMs);
    if (isLost(answer)) return lost(lossText(answer));
    return { agreed: answer.status === 'ok', lost: false, text: answer.text };
  }
  if (service.protocol === 'sieve') {
    const greeting = await readSieve(wire, greetMs);
    if (isLost(greeting)) return lost(lossText(greeting));
    const answer = await askSieve(wire, 'STARTTLS', replyMs);
    if (isLost(answer)) return lost(lossText(answer));
    return { agreed: answer.status === 'ok', lost: false, text: answer.text };
  }
  const greeting = await readReply(wire, greetMs);
  if (isLost(greeting)) return lost(lossText(greeting));
  if (greeting.code !== 220) {
    const text = `nobody is served: "${replyText(greeting)}"`;
    return { agreed: false, lost: true, text, refusal: greeting.code };
  }
  const verb = service.protocol === 'lmtp' ? 'LHLO' : 'EHLO';
  const hello = await ask(wire, `${verb} ${heloName}`, replyMs);
  // What is offered, and to whom, is not known then.
  if (isLost(hello)) return lost(lossText(hello));
  if (hello.code === 550) return lost(`${verb} is refused: "${replyText(hello)}"`);
  const reply = await ask(wire, 'STARTTLS', replyMs);
  if (isLost(reply)) return lost(lossText(reply));
  return { agreed: reply.code === 220, lost: false, text: replyText(reply) };
}

function lost(text: string): Said {
  return { agreed: false, lost: true, text };
}
