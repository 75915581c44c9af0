/** What the doctor looks at, in the order of its list: one line each. */

export { records } from './records.ts';
export { names } from './names.ts';
export { certificates } from './certificates.ts';
export { blocklists, clock, disk, outbound, resolver } from './machine.ts';
export { queue } from './queue.ts';
export { restrictions } from './restrictions.ts';
