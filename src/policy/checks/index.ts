/** The restrictions that the configuration can name: one line each. */

export { deferAll } from './defer.ts';
export { permitAll } from './permit.ts';
export { permitMynetworks } from './permit-mynetworks.ts';
export { permitSaslAuthenticated } from './permit-sasl-authenticated.ts';
export { rejectAll } from './reject.ts';
export { rejectInvalidHeloHostname } from './reject-invalid-helo-hostname.ts';
export { rejectNonFqdnHeloHostname } from './reject-non-fqdn-helo-hostname.ts';
export { rejectNonFqdnRecipient } from './reject-non-fqdn-recipient.ts';
export { rejectNonFqdnSender } from './reject-non-fqdn-sender.ts';
export { rejectSenderLoginMismatch } from './reject-sender-login-mismatch.ts';
export { rejectUnauthDestination } from './reject-unauth-destination.ts';
export { rejectUnlistedRecipient } from './reject-unlisted-recipient.ts';
