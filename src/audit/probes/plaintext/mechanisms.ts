/** Mechanisms that should be offered nowhere, tried under TLS where there is any. */

import { latin1 } from '#base/bytes.ts';
import type { Check, Severity } from '../../check.ts';
import { absent, found, inapplicable } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import type { Service } from '../../service.ts';
import { CHALLENGES, MECHANISMS, NOT_AT_RECEPTION, ONE_FORM } from './cures.ts';
import { openDoor } from './door.ts';

function mechanismCheck(
  id: string,
  title: string,
  severity: Severity,
  means: string,
  rfc: readonly string[],
  cures: Check['cures'] = MECHANISMS,
): Check {
  const doesNotMean = 'Other mechanisms may be offered beside it; good clients choose the best.';
  return { id: `plaintext.${id}`, title, severity, means, doesNotMean, rfc, cures };
}

const ANONYMOUS = mechanismCheck(
  'anonymous-offered',
  'The mechanism ANONYMOUS is offered',
  'medium',
  'Strangers log in without a password; what a login permits (relaying, reading) they may do.',
  ['RFC 4505 1'],
);
const ANONYMOUS_TAKEN = mechanismCheck(
  'anonymous-accepted',
  'A login as ANONYMOUS succeeds',
  'high',
  'Anybody has a session as if they had an account.',
  ['RFC 4505 2'],
);
const CRAM = mechanismCheck(
  'cram-md5',
  'The mechanism CRAM-MD5 is offered',
  'low',
  'It needs passwords kept so that they can be read, and a recorded login is guessed quickly.',
  ['RFC 2195 2'],
);
const DIGEST = mechanismCheck(
  'digest-md5',
  'The mechanism DIGEST-MD5 is offered',
  'low',
  'It is historic: MD5, passwords stored as good as in clear, and programs that disagree on it.',
  ['RFC 6331 2'],
);
const NTLM = mechanismCheck(
  'ntlm',
  'The mechanism NTLM is offered',
  'medium',
  'Old hashes that are broken quickly or relayed to other services of the house.',
  [],
);
const NTLM_LEAK = mechanismCheck(
  'ntlm-leak',
  'NTLM tells names of the inside before any login',
  'medium',
  'Domain, host and version of the inside stand in the challenge that everybody gets.',
  [],
);
const SCRAM_1 = mechanismCheck(
  'scram-sha-1-only',
  'SCRAM is offered with SHA-1 alone',
  'info',
  'SHA-1 still holds here, but clients that want SHA-256 cannot have it.',
  ['RFC 7677 4'],
);
const NO_SCRAM = mechanismCheck(
  'no-challenge-mechanism',
  'Under TLS only mechanisms that send the password',
  'info',
  'A false server with a certificate that the client takes learns the password itself.',
  ['RFC 5802 1', 'RFC 7677 3'],
  CHALLENGES,
);
const NO_BINDING = mechanismCheck(
  'no-channel-binding',
  'SCRAM is offered without channel binding (-PLUS)',
  'info',
  'A man in the middle with a certificate that the client takes can pass the login on.',
  ['RFC 5802 6', 'RFC 9266 1'],
  CHALLENGES,
);
const LEGACY = mechanismCheck(
  'auth-equals',
  'The old form AUTH= is offered beside AUTH',
  'info',
  'It is for programs of before 1999; it only makes the server easier to recognise.',
  ['RFC 4954 3'],
  ONE_FORM,
);
const RECEPTION = mechanismCheck(
  'auth-on-reception',
  'Logins are offered on the port for strangers',
  'info',
  'Passwords can be tried on port 25, which is open to everybody and often less watched.',
  ['RFC 6409 3.1', 'RFC 8314 3.3'],
  NOT_AT_RECEPTION,
);

export const mechanisms: ServiceProbe = {
  name: 'mechanisms',
  scope: 'service',
  level: 'safe',
  checks: [
    ANONYMOUS,
    ANONYMOUS_TAKEN,
    CRAM,
    DIGEST,
    NTLM,
    NTLM_LEAK,
    SCRAM_1,
    NO_SCRAM,
    NO_BINDING,
    LEGACY,
    RECEPTION,
  ],
  fits: ({ protocol }) => protocol !== 'lmtp',
  run,
};

/** Type 1 with the flags of any client (MS-NLMP 2.2.1.1): asks for the challenge, says nothing. */
const NEGOTIATE = 'TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw==';

async function run(context: ServiceContext): Promise<void> {
  const { service } = context;
  const secure = service.tls !== 'none';
  const door = await openDoor(context, { startTls: service.tls === 'starttls' });
  const names = new Set([...door.mechanisms, ...clearMechanisms(service)]);
  door.wire.close();
  const list = names.size === 0 ? 'no mechanism is offered' : [...names].join(', ');
  const tell = (check: Check, is: boolean): void =>
    context.tell((is ? found : absent)(check, list, { details: { mechanisms: [...names] } }));
  tell(ANONYMOUS, names.has('ANONYMOUS'));
  tell(CRAM, names.has('CRAM-MD5'));
  tell(DIGEST, names.has('DIGEST-MD5'));
  tell(NTLM, names.has('NTLM'));
  const scram = [...names].filter((name) => name.startsWith('SCRAM-'));
  tell(SCRAM_1, scram.length > 0 && scram.every((name) => name.startsWith('SCRAM-SHA-1')));
  tell(NO_SCRAM, secure && names.size > 0 && [...names].every((name) => SENDS_PASSWORD.has(name)));
  tell(NO_BINDING, secure && scram.length > 0 && !scram.some((name) => name.endsWith('-PLUS')));
  tell(RECEPTION, service.role === 'reception' && names.size > 0);
  const legacy =
    service.protocol === 'smtp' && service.capabilities.some((line) => /^AUTH=/i.test(line));
  tell(LEGACY, legacy);
  await anonymous(context);
  if (names.has('NTLM')) await ntlm(context);
  else context.tell(inapplicable(NTLM_LEAK, 'NTLM is not offered'));
}

/** What was offered in clear: it may be another list than under TLS. */
function clearMechanisms({ protocol, capabilities }: Service): readonly string[] {
  if (protocol === 'imap') {
    return capabilities.filter((word) => word.startsWith('AUTH=')).map((word) => word.slice(5));
  }
  const start = protocol === 'smtp' ? /^AUTH[ =]/i : /^SASL /i;
  return capabilities
    .filter((line) => start.test(line))
    .flatMap((line) => line.slice(5).toUpperCase().split(/\s+/))
    .filter((word) => word !== '');
}

/** Tried also where it is not offered: what counts is whether it is taken. */
async function anonymous(context: ServiceContext): Promise<void> {
  const door = await openDoor(context, { startTls: context.service.tls === 'starttls' });
  const quote = (text: string): string =>
    context.service.protocol === 'sieve' ? `"${text}"` : text;
  const asked = await door.begin('ANONYMOUS');
  const trace = Buffer.from('audit').toString('base64');
  const step = asked.kind === 'challenge' ? await door.say(quote(trace)) : asked;
  const seen = `ANONYMOUS is answered with "${step.text}"`;
  context.tell(
    step.kind === 'accepted' ? found(ANONYMOUS_TAKEN, seen) : absent(ANONYMOUS_TAKEN, seen),
  );
  door.wire.close();
}

async function ntlm(context: ServiceContext): Promise<void> {
  const door = await openDoor(context, { startTls: context.service.tls === 'starttls' });
  const quote = (text: string): string =>
    context.service.protocol === 'sieve' ? `"${text}"` : text;
  const asked = await door.begin('NTLM');
  const step = asked.kind === 'challenge' ? await door.say(quote(NEGOTIATE)) : asked;
  const all = step.kind === 'challenge' ? ntlmNames(Buffer.from(step.text, 'base64')) : [];
  // The name that it greets everybody with is told to nobody in particular.
  const greeting = context.service.greeting.toLowerCase().split(/\s+/);
  const names = all.filter((name) => !greeting.includes(name.toLowerCase()));
  context.tell(
    names.length > 0
      ? found(NTLM_LEAK, `the challenge tells ${names.join(', ')}`, { details: { names } })
      : absent(NTLM_LEAK, `no other names in the answer "${step.text.slice(0, 100)}"`),
  );
  door.wire.close();
}

const SENDS_PASSWORD = new Set(['PLAIN', 'LOGIN']);
const NTLM_TARGET_NAME = 12;
const NTLM_TARGET_INFO = 40;
/** MS-NLMP 2.2.2.1: names of computer, domain, DNS computer, DNS domain, DNS forest. */
const NTLM_FIELDS = new Set([1, 2, 3, 4, 5]);

/** The names in a type 2 message; offsets come from outside and are checked. */
export function ntlmNames(octets: Buffer): readonly string[] {
  if (octets.length < NTLM_TARGET_INFO + 8 || latin1(octets.subarray(0, 8)) !== 'NTLMSSP\0')
    return [];
  if (octets.readUInt32LE(8) !== 2) return [];
  const end = octets.readUInt16LE(NTLM_TARGET_INFO) + octets.readUInt32LE(NTLM_TARGET_INFO + 4);
  // MS-NLMP 2.2.1.2: TargetName stands by itself; Cyrus SASL gives that one alone.
  const own = octets.readUInt32LE(NTLM_TARGET_NAME + 4);
  const target = octets.subarray(own, own + octets.readUInt16LE(NTLM_TARGET_NAME));
  const names: string[] = target.length === 0 ? [] : [target.toString('utf16le')];
  let at = octets.readUInt32LE(NTLM_TARGET_INFO + 4);
  while (at + 4 <= Math.min(end, octets.length) && names.length < 10) {
    const [id, size] = [octets.readUInt16LE(at), octets.readUInt16LE(at + 2)];
    if (id === 0) break;
    const value = octets.subarray(at + 4, at + 4 + size);
    if (NTLM_FIELDS.has(id)) names.push(value.toString('utf16le'));
    at += 4 + size;
  }
  return [...new Set(names)];
}
