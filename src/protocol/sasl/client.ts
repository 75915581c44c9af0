/** The client's side of SASL: choose the strongest mechanism offered and answer its challenges. */

import { utf8 } from '#base/bytes.ts';
import type { SaslClient, SaslClientContext, SaslCredentials } from './client-exchange.ts';
import { bestBinding } from './scram.ts';
import { ScramClient } from './scram-client.ts';

/**
 * An exchange with the best mechanism of `offered` (names, any case), or undefined when none
 * will do. `only` narrows the choice.
 */
export function chooseSaslClient(
  offered: readonly string[],
  context: SaslClientContext,
  only?: readonly string[],
): SaslClient | undefined {
  const names = new Set(offered.map((name) => name.toUpperCase()));
  const usable = (name: string): boolean =>
    names.has(name) && (only === undefined || only.includes(name));
  const { secure } = context;
  const binding = secure === undefined ? undefined : bestBinding(secure);
  const plusOffered = names.has('SCRAM-SHA-256-PLUS');
  if (binding !== undefined && usable('SCRAM-SHA-256-PLUS')) {
    return new ScramClient('SCRAM-SHA-256-PLUS', context, `p=${binding}`);
  }
  if (usable('SCRAM-SHA-256')) {
    // `y` says: I could have bound, and you did not offer it (RFC 5802 6).
    return new ScramClient('SCRAM-SHA-256', context, binding && !plusOffered ? 'y' : 'n');
  }
  if (secure === undefined) return undefined;
  if (usable('PLAIN')) return plainClient(context.credentials);
  return usable('LOGIN') ? loginClient(context.credentials) : undefined;
}

function plainClient({ login, password }: SaslCredentials): SaslClient {
  const initial = utf8(`\0${login}\0${password.reveal()}`);
  let sent = false;
  return {
    mechanism: 'PLAIN',
    initial,
    proven: true,
    respond(challenge) {
      if (sent || challenge.length > 0) return { kind: 'abort', why: 'unexpected challenge' };
      sent = true;
      return { kind: 'response', bytes: initial };
    },
  };
}

/** The prompts' words differ between servers; their order never does. */
function loginClient({ login, password }: SaslCredentials): SaslClient {
  const answers = [utf8(login), utf8(password.reveal())];
  return {
    mechanism: 'LOGIN',
    initial: undefined,
    proven: true,
    respond() {
      const bytes = answers.shift();
      if (bytes === undefined) return { kind: 'abort', why: 'a third question' };
      return { kind: 'response', bytes };
    },
  };
}
