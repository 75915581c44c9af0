/** The kinds of reports that can be read: one line each. */

export { tls } from './tls.ts';
