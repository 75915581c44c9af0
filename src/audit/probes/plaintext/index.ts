/** Probes for what is said in clear: logins, mechanisms, TLS that is missing. */

export { authBeforeTls } from './auth-before-tls.ts';
