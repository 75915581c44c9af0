/** The suites of vectors, one line each. */
export { spfSuite } from './spf.ts';
export { dmarcSuite } from './dmarc.ts';
