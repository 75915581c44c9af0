/** Probes for injection: what is slipped into a session where two layers meet. */

export { startTlsInjection } from './starttls.ts';
export { startTlsAgain } from './again.ts';
