/** The ways of asking about names. */

export { vrfy, expn } from './verify.ts';
export { rcpt } from './rcpt.ts';
export { auth } from './auth.ts';
export { imap, pop3 } from './access.ts';
