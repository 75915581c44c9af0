/** SCRAM's first challenge: does a login that nobody has get another kind of it than a real one? */

import { fromLatin1, latin1, utf8 } from '#base/bytes.ts';
import { decodeBase64, encodeBase64 } from '#protocol/sasl/base64.ts';
import type { Check } from '../../check.ts';
import { absent, found, inapplicable, type Outcome, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { controlNames } from '../../users/controls.ts';
import { wordSignature } from '../../users/signature.ts';
import { openDoor } from '../plaintext/door.ts';

const CHECK: Check = {
  id: 'users.scram',
  title: 'The first challenge of SCRAM tells which logins there are',
  severity: 'medium',
  means: 'Passwords are tried only where there is an account: guessing gets much cheaper.',
  doesNotMean: 'No password was tried: each exchange was given up before the proof.',
  rfc: ['RFC 5802 5.1', 'RFC 5802 9'],
  cures: [
    // Neither makes up a challenge for a login that is not there.
    { product: 'dovecot', lines: ['auth_mechanisms = plain login'] },
    {
      product: 'postern',
      lines: ['Salts of unknown logins are made up and stay; update Postern.'],
    },
  ],
};

/** First by its name: failed logins, of which it makes few, are held back after some. */
export const scramChallenge: ServiceProbe = {
  name: 'scram-challenge',
  scope: 'service',
  level: 'active',
  checks: [CHECK],
  alone: true,
  limitMs: 60_000,
  fits: ({ protocol }) => protocol === 'smtp' || protocol === 'imap' || protocol === 'pop3',
  run,
};

/** Not now: it says nothing of this login. */
const LATER =
  /^4\d\d |\[(?:sys\/temp|login-delay|in-use|inuse|unavailable|limit)\]|too many|try again/i;

/** Dovecot holds back who failed, longer each time. */
const PATIENCE_MS = 16_000;
const CONTROLS = 3;
/** Of the operator's list, beside the login that is known. */
const NAMES = 10;
const MECHANISMS = ['SCRAM-SHA-256', 'SCRAM-SHA-512', 'SCRAM-SHA-1'];

/** What a login hears to `client-first-message`, twice. */
interface Heard {
  readonly login: string;
  /** How it differs for everybody: refused, or how long the salt is and how often it is hashed. */
  readonly kind: string;
  readonly salt: string;
  readonly refused: boolean;
  /** The same salt, or the same words, at the second try. */
  readonly same: boolean;
}

async function run(given: ServiceContext): Promise<void> {
  const replyMs = Math.max(given.options.replyMs, PATIENCE_MS);
  const context: ServiceContext = { ...given, options: { ...given.options, replyMs } };
  const { knownUser, account, names } = context.options;
  const door = await openDoor(context, { startTls: context.service.tls === 'starttls' });
  door.wire.close();
  const mechanism = MECHANISMS.find((name) => door.mechanisms.includes(name));
  if (mechanism === undefined) {
    context.tell(inapplicable(CHECK, 'SCRAM is not offered'));
    return;
  }
  const nobody: Heard[] = [];
  for (const login of controlNames(context.random, CONTROLS)) {
    nobody.push(await hear(context, mechanism, login));
  }
  const known = account?.login ?? knownUser;
  const list = new Set([...(known === undefined ? [] : [known]), ...names.slice(0, NAMES)]);
  const others: Heard[] = [];
  for (const login of list) {
    others.push(await hear(context, mechanism, login));
    if (tells(nobody, others) !== undefined) break;
  }
  context.tell(judge(nobody, others, known));
}

/** A control's challenge that changes is made up; so is one that all controls share. */
function judge(nobody: readonly Heard[], others: readonly Heard[], known?: string): Outcome {
  const later = [...nobody, ...others].find(({ refused, kind }) => refused && LATER.test(kind));
  if (later !== undefined) return unclear(CHECK, `logins are held back: ${later.kind}`);
  const kinds = new Set(nobody.map(({ kind }) => kind));
  const [first] = nobody;
  if (first === undefined || kinds.size > 1) {
    return unclear(CHECK, `names that nobody has hear different things: ${[...kinds].join('; ')}`);
  }
  const { shared, stable } = saltsOf(nobody);
  const told = tells(nobody, others);
  const how = first.refused
    ? first.kind
    : `${first.kind}, ${shared ? 'one salt for all' : stable ? 'the same at each try' : 'another salt at each try'}`;
  const control = `${nobody.length} names that nobody has: ${how}`;
  const controls = { negative: { passed: nobody.length, of: nobody.length } };
  if (told !== undefined) {
    const seen = `${control}; ${told.login}: ${told.kind}, ${told.same ? 'the same' : 'another'} at each try`;
    return found(CHECK, seen, { controls });
  }
  if (!first.refused && stable && !shared) return absent(CHECK, control, { controls });
  if (known !== undefined) return absent(CHECK, `${control}; ${known} too`, { controls });
  return unclear(CHECK, `${control}; a login that is there was not given (--known-user)`);
}

/** One that hears what names that nobody has do not hear. */
function tells(nobody: readonly Heard[], others: readonly Heard[]): Heard | undefined {
  const [first] = nobody;
  if (first === undefined) return undefined;
  const { shared, stable } = saltsOf(nobody);
  return others.find(
    (one) =>
      one.kind !== first.kind ||
      (!one.refused && one.same && (!stable || (shared && one.salt !== first.salt))),
  );
}

/** Whether all hear of one salt, and whether each hears of the same at both tries. */
function saltsOf(nobody: readonly Heard[]): { readonly shared: boolean; readonly stable: boolean } {
  const [first] = nobody;
  const shared = first?.refused === false && nobody.every(({ salt }) => salt === first.salt);
  return { shared, stable: nobody.every(({ same }) => same) };
}

async function hear(context: ServiceContext, mechanism: string, login: string): Promise<Heard> {
  const first = await challenge(context, mechanism, login);
  // A refusal is a failed login: once is enough.
  const again = first.refused ? first : await challenge(context, mechanism, login);
  const same = first.kind === again.kind && first.salt === again.salt;
  return { login, ...first, same };
}

async function challenge(
  context: ServiceContext,
  mechanism: string,
  login: string,
): Promise<Pick<Heard, 'kind' | 'salt' | 'refused'>> {
  const door = await openDoor(context, { startTls: context.service.tls === 'starttls' });
  const begun = await door.begin(mechanism);
  const name = login.replaceAll('=', '=3D').replaceAll(',', '=2C');
  const message = utf8(`n,,n=${name},r=${context.token(20)}`);
  const step = begun.kind === 'challenge' ? await door.say(encodeBase64(message)) : begun;
  if (step.kind !== 'challenge') {
    door.wire.close();
    // Numbers are new each time.
    const { key } = wordSignature('refused with', step.text, login);
    const code = /^\d{3} /.exec(step.text)?.[0] ?? '';
    return { kind: `${code}${key}`, salt: '', refused: true };
  }
  door.wire.line('*');
  door.wire.close();
  const [, salt = '', count = ''] =
    /^r=[^,]{1,1000},s=([^,]{1,500}),i=(\d{1,10})/.exec(
      latin1(decodeBase64(step.text) ?? fromLatin1('')),
    ) ?? [];
  const octets = decodeBase64(salt)?.length ?? 0;
  return { kind: `a salt of ${octets} octets, ${count} turns`, salt, refused: false };
}
