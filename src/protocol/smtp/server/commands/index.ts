/** The commands that the server knows: one line each. */

export { auth } from './auth.ts';
export { bdat } from './bdat.ts';
export { data } from './data.ts';
export { ehlo } from './ehlo.ts';
export { expn } from './expn.ts';
export { helo } from './helo.ts';
export { help } from './help.ts';
export { lhlo } from './lhlo.ts';
export { mail } from './mail.ts';
export { noop } from './noop.ts';
export { quit } from './quit.ts';
export { rcpt } from './rcpt.ts';
export { rset } from './rset.ts';
export { startTls } from './starttls.ts';
export { vrfy } from './vrfy.ts';
