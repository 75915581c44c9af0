/** LOGIN (RFC 3501 6.2.3): the password goes the way of PLAIN, so under TLS only. */

import { utf8 } from '#base/bytes.ts';
import type { Command } from '../command.ts';
import { guarded, logIn } from '../login.ts';
import { parseUtf8 } from '#base/bytes.ts';
import { bad, no } from '../completion.ts';

export const login: Command<{ readonly user: string; readonly password: string }> = {
  name: 'LOGIN',
  phases: ['unauthenticated'],
  news: 'none',
  parse(cursor) {
    cursor.space();
    const user = parseUtf8(cursor.astring());
    cursor.space();
    const password = parseUtf8(cursor.astring());
    if (user === undefined || password === undefined) throw bad('The login is not UTF-8');
    if (user.includes('\0') || password.includes('\0')) throw bad('A login has no NUL');
    return { user, password };
  },
  *run(session, { user, password }) {
    if (session.secure === undefined) {
      throw no('PRIVACYREQUIRED', 'Logins need TLS: STARTTLS first');
    }
    const message = Buffer.from(utf8(`\0${user}\0${password}`)).toString('base64');
    return yield* guarded(logIn(session, 'PLAIN', message, false));
  },
};
