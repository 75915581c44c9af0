/** Probes for manners: what every server must take, whom it believes, what it should not offer. */

export { mailboxes } from './mailboxes.ts';
export { helo } from './helo.ts';
export { earlyTalker } from './early-talker.ts';
export { replies } from './replies.ts';
export { legacy } from './legacy.ts';
export { exposed } from './exposed.ts';
export { trace } from './trace.ts';
