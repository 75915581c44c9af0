/** The SASL mechanisms that the server can offer: one line each. */

export { login } from './login.ts';
export { plain } from './plain.ts';
export { scramSha256 } from './scram-sha-256.ts';
export { scramSha256Plus } from './scram-sha-256-plus.ts';
