/** The suites of vectors, one line each. */
export { spfSuite } from './spf.ts';
export { dmarcSuite } from './dmarc.ts';
export { arcSigningSuite, arcValidationSuite } from './arc.ts';
export { dkimSuite } from './dkim.ts';
export { stsSuite } from './mta-sts.ts';
export { daneSuite } from './dane.ts';
