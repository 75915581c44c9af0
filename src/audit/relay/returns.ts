/** Relaying by other ways: with a login (R32), by what comes back (R33, R35), by ETRN (R34). */

import { asBuffer, utf8 } from '#base/bytes.ts';
import { Secret } from '#base/secret.ts';
import type { ProbeAccount } from '../probe.ts';
import { sayHello } from '../wire/hello.ts';
import { ask, replyText } from '../wire/smtp.ts';
import { isLost, lossText } from '../wire/wire.ts';
import type { Form } from './forms.ts';
import type { TrialOptions } from './trial.ts';

/** R32: an account of the operator's, writing in somebody else's name. */
export function accountForm({ login, password }: ProbeAccount): Form {
  const octets = utf8(`\0${login}\0${password.reveal()}`);
  const line = `AUTH PLAIN ${asBuffer(octets).toString('base64')}`;
  return {
    id: 'R32',
    title: 'a login writes in the name of another',
    level: 'safe',
    attempts: ({ token, foreign, other }) => [
      {
        variant: 'foreign sender',
        mail: `<antispam@${other}>`,
        rcpt: [`<${token}@${foreign}>`],
        before: [{ line, must: '235' }],
        startTls: true,
        needs: 'AUTH',
        conceal: new Secret(octets),
        mayBeLocal: false,
      },
    ],
  };
}

/** In our canary's name: what comes back there was sent by the server on its own. */
export const RETURN_FORMS: readonly Form[] = [
  {
    id: 'R33',
    title: 'accepted first and bounced later, to a sender who may be forged',
    level: 'active',
    attempts: ({ token, foreign, domains }) =>
      domains.slice(0, 2).map((domain) => ({
        variant: domain,
        mail: `<${token}@${foreign}>`,
        rcpt: [`<x${token}@${domain}>`],
        mayBeLocal: true,
      })),
  },
  {
    id: 'R35',
    title: 'automatic replies to a sender who may be forged',
    level: 'active',
    attempts: ({ token, foreign, domains, user }) =>
      domains.slice(0, 1).map((domain) => ({
        variant: user ?? 'postmaster',
        mail: `<${token}@${foreign}>`,
        rcpt: [`<${user === undefined ? `postmaster@${domain}` : whole(user, domain)}>`],
        mayBeLocal: true,
      })),
  },
];

export interface EtrnAnswer {
  /** Undefined where it was not answered, or as everything else is. */
  readonly accepted: boolean | undefined;
  readonly answer: string;
  /** Says yes to a command that does not exist, too: what it agrees to says nothing. */
  readonly agrees?: boolean;
}

/** R34: a queue run for a domain that is not the server's (RFC 1985 5.3: 458, 459, 5xx refuse). */
export async function askEtrn(
  options: Pick<TrialOptions, 'dial' | 'serverName' | 'replyMs'> & {
    readonly place: { readonly helo: string; readonly other: string };
  },
): Promise<EtrnAnswer> {
  const { place, serverName, replyMs } = options;
  const hello = await sayHello(await options.dial(), { name: place.helo, serverName, replyMs });
  if (hello.kind !== 'ready') return { accepted: undefined, answer: `${hello.step}: ${hello.why}` };
  const { wire } = hello;
  const first = await ask(wire, `ETRN ${place.other}`, replyMs);
  // Exim knows the form with # alone.
  const hashed = !isLost(first) && first.code === 501 && replyText(first).includes('#');
  const reply = hashed ? await ask(wire, `ETRN #${place.other}`, replyMs) : first;
  const accepted = !isLost(reply) && reply.code >= 250 && reply.code <= 253;
  const nonsense = accepted ? await ask(wire, 'XYZZY', replyMs) : undefined;
  wire.line('QUIT');
  wire.close();
  if (isLost(reply)) return { accepted: undefined, answer: lossText(reply) };
  const answer = replyText(reply);
  if (nonsense !== undefined && !isLost(nonsense) && nonsense.code < 300) {
    return {
      accepted: undefined,
      answer: `${answer}, as to a command that does not exist`,
      agrees: true,
    };
  }
  return { accepted, answer };
}

function whole(user: string, domain: string): string {
  return user.includes('@') ? user : `${user}@${domain}`;
}
