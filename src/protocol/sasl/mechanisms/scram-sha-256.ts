/** SCRAM-SHA-256 (RFC 5802, RFC 7677): the password never crosses the wire, both sides prove it. */

import { timingSafeEqual } from 'node:crypto';
import { NO_BYTES, parseUtf8, utf8 } from '#base/bytes.ts';
import { Authenticated } from '../authenticated.ts';
import { decodeBase64, encodeBase64 } from '../base64.ts';
import type { Mechanism, SaslAnswer, SaslContext } from '../mechanism.ts';
import type { SaslInput, SaslOutcome, SaslStep } from '../mechanism.ts';
import { authorizes, prepareSasl } from '../prepare.ts';
import { bestBinding, bindingData, decodeSaslName, hmac } from '../scram.ts';
import { parseAttributes, sha256, xor } from '../scram.ts';
import { response } from './plain.ts';

const NAME = 'SCRAM-SHA-256';

export const scramSha256: Mechanism = {
  name: NAME,
  preference: 30,
  available: () => true,
  exchange: (context, initial) => scramExchange(NAME, context, initial),
};

type Keys = Extract<SaslAnswer, { kind: 'scram' }>;

interface ClientFirst {
  readonly login: string;
  readonly nonce: string;
  /** What `c=` must decode to: the gs2 header and the channel binding. */
  readonly binding: Uint8Array;
  readonly bare: string;
}

/** The exchange of both SCRAM mechanisms; which one it is decides how binding is judged. */
export function* scramExchange(
  name: string,
  context: SaslContext,
  initial: Uint8Array | undefined,
): Generator<SaslStep, SaslOutcome, SaslInput> {
  const first = parseClientFirst(initial ?? (yield* response(NO_BYTES)), name, context);
  if ('kind' in first) return first;
  const input = yield { kind: 'ask', question: { kind: 'scram', login: first.login } };
  if (input.kind !== 'answer' || input.answer.kind !== 'scram') {
    return { kind: 'rejected', login: first.login };
  }
  const keys = input.answer;
  const nonce = first.nonce + encodeBase64(context.nonce);
  const serverFirst = `r=${nonce},s=${encodeBase64(keys.salt)},i=${keys.iterations}`;
  const final = parseUtf8(yield* response(utf8(serverFirst)));
  const proofAt = final?.lastIndexOf(',p=') ?? -1;
  const attributes = final === undefined ? undefined : parseAttributes(final);
  if (final === undefined || attributes === undefined || proofAt < 0) {
    return { kind: 'malformed', why: 'no client-final-message' };
  }
  const wrong = judgeFinal(attributes, nonce, first.binding);
  if (wrong !== undefined) return refused(wrong, first.login);
  const proof = decodeBase64(attributes.at(-1)?.[1] ?? '');
  const signed = `${first.bare},${serverFirst},${final.slice(0, proofAt)}`;
  if (!verifyProof(proof, signed, keys) || keys.identity === undefined) {
    return refused('invalid-proof', first.login);
  }
  return {
    kind: 'authenticated',
    who: Authenticated.verified(keys.identity, name),
    final: utf8(`v=${encodeBase64(hmac(keys.serverKey, signed))}`),
  };
}

/** `gs2-header client-first-message-bare` (RFC 5802 7). */
function parseClientFirst(
  bytes: Uint8Array,
  mechanism: string,
  context: SaslContext,
): ClientFirst | SaslOutcome {
  const text = parseUtf8(bytes);
  const parts = /^(n|y|p=[A-Za-z0-9.-]{1,64}),(?:a=([^,]*))?,([^\0]+)$/.exec(text ?? '');
  const attributes = parseAttributes(parts?.[3] ?? '');
  const [user, random] = attributes ?? [];
  if (text === undefined || parts?.[1] === undefined || user === undefined) {
    return { kind: 'malformed', why: 'no client-first-message' };
  }
  if (user[0] === 'm') return refused('extensions-not-supported', undefined);
  if (user[0] !== 'n' || random?.[0] !== 'r' || !/^[\x21-\x7e]{8,512}$/.test(random[1])) {
    return { kind: 'malformed', why: 'no user name or nonce where they belong' };
  }
  const decoded = decodeSaslName(user[1]);
  const login = decoded === undefined ? undefined : prepareSasl(decoded);
  const authzid = decodeSaslName(parts[2] ?? '');
  if (login === undefined || authzid === undefined) {
    return refused('invalid-username-encoding', undefined);
  }
  if (!authorizes(authzid, login)) return refused('other-error', login);
  const header = text.slice(0, text.length - (parts[3]?.length ?? 0));
  const binding = judgeBinding(parts[1], mechanism, context);
  if (typeof binding === 'string') return refused(binding, login);
  const whole = Buffer.concat([utf8(header), binding]);
  return { login, nonce: random[1], binding: whole, bare: parts[3] ?? '' };
}

/** RFC 5802 6: the octets that the client must prove to see too, or the error to name. */
function judgeBinding(flag: string, mechanism: string, context: SaslContext): Uint8Array | string {
  const plus = mechanism !== NAME;
  if (flag.startsWith('p=')) {
    if (!plus) return 'channel-binding-not-supported';
    return bindingData(context.secure, flag.slice(2)) ?? 'unsupported-channel-binding-type';
  }
  if (plus) return 'channel-bindings-dont-match';
  // `y`: the client could have bound and saw no -PLUS. If we did announce it, somebody between
  // us took it away.
  const offered = context.offered?.includes(`${NAME}-PLUS`) ?? true;
  const downgraded = flag === 'y' && offered && bestBinding(context.secure) !== undefined;
  return downgraded ? 'server-does-support-channel-binding' : NO_BYTES;
}

/** `c=`, `r=`, extensions, `p=` last (RFC 5802 7): the error to name, or undefined. */
function judgeFinal(
  attributes: readonly (readonly [string, string])[],
  nonce: string,
  binding: Uint8Array,
): string | undefined {
  const [channel, random] = attributes;
  if (channel?.[0] !== 'c' || random?.[0] !== 'r') return 'invalid-encoding';
  if (attributes.some(([key]) => key === 'm')) return 'extensions-not-supported';
  if (attributes.findIndex(([key]) => key === 'p') !== attributes.length - 1) {
    return 'invalid-encoding';
  }
  if (channel[1] !== encodeBase64(binding)) return 'channel-bindings-dont-match';
  return random[1] === nonce ? undefined : 'other-error';
}

/** RFC 5802 3; the same work whether or not the login exists. */
function verifyProof(proof: Uint8Array | undefined, signed: string, keys: Keys): boolean {
  const given = proof?.length === 32 ? proof : new Uint8Array(32);
  const clientKey = xor(given, hmac(keys.storedKey, signed));
  return proof?.length === 32 && timingSafeEqual(sha256(clientKey), keys.storedKey);
}

function refused(error: string, login: string | undefined): SaslOutcome {
  return { kind: 'rejected', login, final: utf8(`e=${error}`) };
}
