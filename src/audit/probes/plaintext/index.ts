/** Probes for what is said in clear: logins, mechanisms, TLS that is missing. */

export { authBeforeTls } from './auth-before-tls.ts';
export { noTls } from './no-tls.ts';
export { accessLogin, imapLogin } from './access-login.ts';
export { mechanisms } from './mechanisms.ts';
export { authManners } from './auth-manners.ts';
