/** The servers of the lab: a file each. */

export { dovecot } from './dovecot.ts';
export { exim } from './exim.ts';
export { opensmtpd } from './opensmtpd.ts';
export { postfix } from './postfix.ts';
export { sendmail } from './sendmail.ts';
