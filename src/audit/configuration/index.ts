/** Servers whose configuration is read: one line each. */

export { dovecot } from './dovecot/judge.ts';
export { exim } from './exim/judge.ts';
export { opensmtpd } from './opensmtpd/judge.ts';
export { postfix } from './postfix/judge.ts';
