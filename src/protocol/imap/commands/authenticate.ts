/** AUTHENTICATE (RFC 3501 6.2.2) with the initial response of SASL-IR (RFC 4959). */

import type { Command } from '../command.ts';
import { guarded, logIn } from '../login.ts';

const BASE64 = /[A-Za-z0-9+/=]+/y;

export const authenticate: Command<{
  readonly mechanism: string;
  readonly initial: string | undefined;
}> = {
  name: 'AUTHENTICATE',
  phases: ['unauthenticated'],
  news: 'none',
  parse(cursor) {
    cursor.space();
    const mechanism = cursor.keyword();
    const initial = cursor.tryTake(' ') ? (cursor.match(BASE64) ?? '') : undefined;
    return { mechanism, initial };
  },
  *run(session, { mechanism, initial }) {
    return yield* guarded(logIn(session, mechanism, initial, true));
  },
};
