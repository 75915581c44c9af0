/** Probes of who has a mailbox. */

export { toldAtRcpt, toldByExpn, toldByVrfy } from './addresses.ts';
export { scramChallenge } from './scram.ts';
export { toldAtImap, toldAtPop3, toldBySmtpAuth } from './logins.ts';
export { toldByTime } from './timing.ts';
