/** Probes of what a domain and its hosts publish in the DNS: one line each. */

export { dkim } from './dkim.ts';
export { dmarc } from './dmarc.ts';
export { daneRecords, reverseName } from './host.ts';
export { mtaSts } from './mta-sts.ts';
export { mx } from './mx.ts';
export { bimi, caa, dnssec, srv, tlsRpt } from './published.ts';
export { spf } from './spf.ts';
