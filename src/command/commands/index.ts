/** The commands; the help lists them by name. */

export { serve } from './serve.ts';
export { setup } from './setup.ts';
export { doctor } from './doctor.ts';
export { domain } from './domain.ts';
export { account } from './account.ts';
export { alias } from './alias.ts';
export { dkim } from './dkim.ts';
export { queue } from './queue.ts';
export { trace } from './trace.ts';
export { reports } from './reports.ts';
export { send } from './send.ts';
export { audit } from './audit.ts';
export { users } from './users.ts';
export { talk } from './talk.ts';
export { config } from './config.ts';
export { version } from './version.ts';
export { headers } from './headers.ts';
