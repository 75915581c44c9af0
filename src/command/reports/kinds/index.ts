/** The kinds of reports that can be read: one line each. */

export { dmarc } from './dmarc.ts';
export { tls } from './tls.ts';
