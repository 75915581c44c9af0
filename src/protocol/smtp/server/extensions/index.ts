/** The extensions that EHLO announces: one line each. */

export { auth } from './auth.ts';
export { binaryMime } from './binarymime.ts';
export { chunking } from './chunking.ts';
export { dsn } from './dsn.ts';
export { eightBitMime } from './8bitmime.ts';
export { enhancedStatusCodes } from './enhancedstatuscodes.ts';
export { limits } from './limits.ts';
export { pipelining } from './pipelining.ts';
export { requireTls } from './requiretls.ts';
export { size } from './size.ts';
export { smtpUtf8 } from './smtputf8.ts';
export { startTls } from './starttls.ts';
