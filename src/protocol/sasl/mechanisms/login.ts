/** LOGIN (draft-murchison-sasl-login): obsolete, and still what some mail programs know. */

import { parseUtf8, utf8 } from '#base/bytes.ts';
import type { Mechanism } from '../mechanism.ts';
import { response, verifyPassword } from './plain.ts';

export const login: Mechanism = {
  name: 'LOGIN',
  preference: 10,
  available: () => true,
  *exchange(_context, initial) {
    const name = parseUtf8(initial ?? (yield* response(utf8('Username:'))));
    const password = parseUtf8(yield* response(utf8('Password:')));
    if (!name || password === undefined) {
      return { kind: 'malformed', why: 'no login, or not UTF-8' };
    }
    return yield* verifyPassword('LOGIN', '', name, password);
  },
};
