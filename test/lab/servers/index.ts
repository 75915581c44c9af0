/** The servers of the lab: a file each. */

export { aiosmtpd } from './aiosmtpd.ts';
export { courier } from './courier.ts';
export { cyrus } from './cyrus.ts';
export { dovecot } from './dovecot.ts';
export { exim } from './exim.ts';
export { opensmtpd } from './opensmtpd.ts';
export { postfix } from './postfix.ts';
export { sendmail } from './sendmail.ts';
