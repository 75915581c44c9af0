/** Probes of limits. */

export { errorLimit, recipientCount } from './counts.ts';
export { connectionCount, endlessLine, silence } from './endurance.ts';
export { loginFailures } from './login-failures.ts';
export { mass } from './mass.ts';
export { size } from './size.ts';
