/** The groups of settings, in the order of the documentation. */

export { abuse } from './abuse.ts';
export { identity } from './network.ts';
export { listeners } from './network.ts';
export { certificates } from './delivery.ts';
export { access } from './reception.ts';
export { limits } from './reception.ts';
export { routes } from './delivery.ts';
export { outbound } from './delivery.ts';
export { protection } from './protection.ts';
export { publication } from './protection.ts';
export { queue } from './delivery.ts';
export { names } from './network.ts';
export { storage } from './system.ts';
export { observation } from './system.ts';
